/*
 * Splice pipes, pooled: making one and growing it costs as much as moving 100 KB. Their pages are counted per user over
 * the whole node (pipe-user-pages-soft, fs/pipe.c): where they have run out a pipe cannot be grown, or not be had at
 * all, and the caller copies instead; asking again waits a second.
 */
#define _GNU_SOURCE
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { IDLE_PIPES = 16, RETRY_MS = 1000 };

static void destroy(struct pipe *pipe)
{
	close(pipe->in);
	close(pipe->out);
	free(pipe);
}

struct pipe *pipe_get(struct engine *engine)
{
	struct pipe *pipe = engine->pipes;
	int fds[2];

	if (pipe) {
		engine->pipes = pipe->next;
		engine->pipe_count--;
		return pipe;
	}
	if (engine->now_ms < engine->no_pipes_until_ms)
		return NULL;
	pipe = malloc(sizeof *pipe);
	if (pipe && pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0) {
		pipe->out = fds[0];
		pipe->in = fds[1];
		if (fcntl(pipe->in, F_SETPIPE_SZ, PIPE_BYTES) >= 0)
			return pipe;
		close(fds[0]);
		close(fds[1]);
	}
	free(pipe);
	engine->no_pipes_until_ms = engine->now_ms + RETRY_MS;
	return NULL;
}

/* A pipe that still holds bytes is of no use to anybody else. */
void pipe_put(struct engine *engine, struct pipe *pipe, bool empty)
{
	if (!empty || engine->pipe_count >= IDLE_PIPES) {
		destroy(pipe);
		return;
	}
	pipe->next = engine->pipes;
	engine->pipes = pipe;
	engine->pipe_count++;
}

void pipes_close(struct engine *engine)
{
	while (engine->pipes) {
		struct pipe *pipe = engine->pipes;

		engine->pipes = pipe->next;
		destroy(pipe);
	}
	engine->pipe_count = 0;
}
