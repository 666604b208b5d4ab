/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

void queue_open(struct queue *queue, size_t capacity) {
    memset(queue, 0, sizeof *queue);
    queue->capacity = capacity;
}

void queue_free(struct queue *queue) {
    free(queue->base);
    queue->base = NULL;
    queue->start = queue->count = 0;
}

size_t queue_room(const struct queue *queue) { return queue->capacity - queue->count; }

size_t queue_append(struct queue *queue, const uint8_t *bytes, size_t count) {
    if (count > queue_room(queue)) count = queue_room(queue);
    if (count == 0) return 0;
    if (queue->base == NULL) queue->base = malloc(queue->capacity);
    size_t end = (queue->start + queue->count) % queue->capacity;
    size_t first = queue->capacity - end < count ? queue->capacity - end : count;
    memcpy(queue->base + end, bytes, first);
    memcpy(queue->base, bytes + first, count - first);
    queue->count += count;
    return count;
}

size_t queue_look(const struct queue *queue, uint8_t *into, size_t count) {
    if (count > queue->count) count = queue->count;
    if (count == 0) return 0;
    size_t first = queue->capacity - queue->start < count ? queue->capacity - queue->start : count;
    memcpy(into, queue->base + queue->start, first);
    memcpy(into + first, queue->base, count - first);
    return count;
}

void queue_drop(struct queue *queue, size_t count) {
    queue->count -= count;
    queue->start = queue->count == 0 ? 0 : (queue->start + count) % queue->capacity;
}
