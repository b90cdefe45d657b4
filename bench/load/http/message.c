#include <string.h>
#include <strings.h>

#include "http.h"

char large[LARGE_BYTES];

void write_large(void)
{
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = LETTERS[i % (sizeof LETTERS - 1)];
}

int is_body(const char *bytes, size_t count, size_t offset)
{
    return offset + count <= sizeof large && memcmp(bytes, large + offset, count) == 0;
}

/* NO_LENGTH unless it is digits alone. */
static int64_t decimal(const char *text, const char *end)
{
    int64_t value = 0;
    if (text == end || end - text > 15)
        return NO_LENGTH;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return NO_LENGTH;
        value = value * 10 + *text - '0';
    }
    return value;
}

static int is(const char *text, const char *end, const char *expected)
{
    return (size_t)(end - text) == strlen(expected) && strncasecmp(text, expected, end - text) == 0;
}

static const char *read_field(const char *name, const char *end, struct head *head)
{
    const char *colon = memchr(name, ':', end - name), *value = colon + 1;
    if (!colon || colon == name)
        return "a line that is no field";
    while (value < end && *value == ' ')
        value++;
    if (is(name, colon, "transfer-encoding"))
        return "a Transfer-Encoding";
    if (is(name, colon, "connection"))
        head->closes = is(value, end, "close");
    if (is(name, colon, "host")) {
        if (!is(value, end, HOST))
            return "another Host";
        head->hosts++;
    }
    if (is(name, colon, "content-length")) {
        if (head->content_length != NO_LENGTH)
            return "a second Content-Length";
        if ((head->content_length = decimal(value, end)) == NO_LENGTH)
            return "a Content-Length that is no number";
    }
    return NULL;
}

const char *read_head(const char *text, size_t count, struct head *head)
{
    *head = (struct head){.content_length = NO_LENGTH};
    const char *end = memmem(text, count, "\r\n\r\n", 4);
    if (!end)
        return count < HEAD_BYTES ? NULL : "a head without end";
    const char *line = (const char *)memchr(text, '\r', end + 1 - text) + 2;
    while (line < end) {
        const char *line_end = memchr(line, '\r', end + 1 - line);
        const char *wrong = read_field(line, line_end, head);
        if (wrong)
            return wrong;
        line = line_end + 2;
    }
    head->bytes = end + 4 - text;
    return NULL;
}
