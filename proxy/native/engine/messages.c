/* Letting go of a message, and of what it carries that nobody took. */
#include "engine.h"

#include <stdlib.h>

bool event_hands_over(const struct event *event)
{
	return event->type == RELEASED || event->type == DIALLED;
}

void event_free(struct event *event)
{
	free(event->head.bytes);
	if (event_hands_over(event))
		end_close(&(struct end){.fd = event->handed.fd}, true);
	free(event);
}

void command_free(struct command *command)
{
	if (command->type == REFUSE)
		free(command->refuse.bytes);
	if (command->type == PEEK_FIRST)
		free(command->peek_first.ports);
	free(command);
}
