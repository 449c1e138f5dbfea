/* Takes escape sequences out of terminal output and splits lines, the way a program in C would: one state machine.
 * strip FILE REPEATS prints seconds of processor time and the number of lines. It applies no cursor movement. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { GROUND, ESCAPE, MIDDLE, CONTROL, COMMAND, STRING };

static double cpu_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_utime.tv_usec / 1e6 + used.ru_stime.tv_sec + used.ru_stime.tv_usec / 1e6;
}

static int state = GROUND;

static size_t strip(const unsigned char *in, size_t size, unsigned char *out, long *lines) {
    size_t kept = 0;
    for (size_t at = 0; at < size; at++) {
        unsigned char c = in[at];
        if (c == 0x18 || c == 0x1a) { state = GROUND; continue; }
        if (c == 0x1b) { state = ESCAPE; continue; }
        switch (state) {
        case GROUND:
            if (c == '\n') { (*lines)++; out[kept++] = c; }
            else if (c >= 0x20 ? c != 0x7f : c == '\t') out[kept++] = c;
            break;
        case ESCAPE:
            if (c == '[') state = CONTROL;
            else if (c == ']') state = COMMAND;
            else if (c == 'P' || c == 'X' || c == '^' || c == '_') state = STRING;
            else if (c >= 0x20 && c <= 0x2f) state = MIDDLE;
            else if (c >= 0x30) state = GROUND;
            break;
        case MIDDLE: if (c >= 0x30) state = GROUND; break;
        case CONTROL: if (c >= 0x40) state = GROUND; break;
        case COMMAND: if (c == 7) state = GROUND; break;
        default: break;
        }
    }
    return kept;
}

int main(int argc, char **argv) {
    FILE *file = argc > 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) return 2;
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    unsigned char *in = malloc(size), *out = malloc(size);
    if (!in || !out || fread(in, 1, size, file) != size) return 2;
    long lines = 0;
    volatile size_t kept = 0;
    double begin = cpu_seconds();
    for (int n = atoi(argv[2]); n > 0; n--)
        for (size_t at = 0; at < size; at += 4096)
            kept += strip(in + at, size - at < 4096 ? size - at : 4096, out, &lines);
    printf("%.6f %ld\n", cpu_seconds() - begin, lines);
    return 0;
}
