/*
 * What both ends of the HTTP benchmark know: four exchanges, of 100 bytes or of 1 MiB, either way. Every body is a run of
 * the same sixteen letters. Both ends read strictly, each other and whatever stands between: a request that is not one of
 * the four is answered 400, a response that is not the expected one ends the load.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "../load.h"

#define HOST "bench.sallyport.test"
#define LETTERS "abcdefghijklmnop"

enum {
    SMALL_BYTES = 100,
    LARGE_BYTES = 1 << 20,
    HEAD_BYTES = 4096, /* with a small body after it */
    NO_LENGTH = -1,
};

/* The fields of a head that matter here. */
struct head {
    size_t bytes;           /* with the empty line; 0 while that has not come */
    int64_t content_length; /* or NO_LENGTH */
    int closes;             /* Connection: close */
    int hosts;              /* Host fields that are HOST */
};

/* NULL, or what is wrong with it: Transfer-Encoding, another Host or a second length are, nothing here sends them. */
const char *read_head(const char *text, size_t count, struct head *head);

extern char large[LARGE_BYTES]; /* a body; a small one is its beginning */
void write_large(void);
/* The bytes stand at `offset` of a body. */
int is_body(const char *bytes, size_t count, size_t offset);
