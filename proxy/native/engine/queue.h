/*
 * A list that one thread adds to and another takes whole. Its members begin with their `next` pointer. Adding says
 * whether the list was empty, so that the reader is woken once for a batch and not once for a message.
 */
#ifndef SALLYPORT_QUEUE_H
#define SALLYPORT_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct node {
	struct node *next;
};

struct queue {
	pthread_mutex_t lock;
	struct node *first, *last;
	size_t length;
};

static inline bool queue_add(struct queue *queue, void *member)
{
	struct node *node = member;
	bool was_empty;

	node->next = NULL;
	pthread_mutex_lock(&queue->lock);
	was_empty = !queue->first;
	if (was_empty)
		queue->first = node;
	else
		queue->last->next = node;
	queue->last = node;
	queue->length++;
	pthread_mutex_unlock(&queue->lock);
	return was_empty;
}

static inline void *queue_take(struct queue *queue)
{
	struct node *all;

	pthread_mutex_lock(&queue->lock);
	all = queue->first;
	queue->first = queue->last = NULL;
	queue->length = 0;
	pthread_mutex_unlock(&queue->lock);
	return all;
}

static inline size_t queue_length(struct queue *queue)
{
	size_t length;

	pthread_mutex_lock(&queue->lock);
	length = queue->length;
	pthread_mutex_unlock(&queue->lock);
	return length;
}

#endif
