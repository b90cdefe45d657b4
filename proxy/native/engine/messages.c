/* Letting go of a message, and of what it carries that nobody took. */
#include "messages.h"

#include <stdlib.h>
#include <unistd.h>

void event_free(struct event *event)
{
	free(event->head.bytes);
	if (event->type == RELEASED && event->released.fd >= 0)
		close(event->released.fd);
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
