// ws_load PORT PATH AUTHORIZATION SECONDS FRAME: one WebSocket client that sends FRAME, waits for a text frame that holds
// "request_id", and sends again, for SECONDS after a warm-up of one. Prints round trips and their times as JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_SAMPLES 2000000
#define WARM_UP_NS 1000000000LL

static long long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static size_t masked_frame(unsigned char *out, const char *text) {
    static const unsigned char mask[4] = {1, 2, 3, 4};
    size_t length = strlen(text), at = 2;
    out[0] = 0x81;
    if (length < 126) {
        out[1] = 0x80 | length;
    } else {
        out[1] = 0x80 | 126;
        out[2] = length >> 8;
        out[3] = length;
        at = 4;
    }
    memcpy(out + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < length; i++) out[at + i] = text[i] ^ mask[i & 3];
    return at + length;
}

int main(int argc, char **argv) {
    if (argc < 6 || strlen(argv[5]) > 4000) return 2;
    int port = atoi(argv[1]), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (void *)&address, sizeof address)) return perror("connect"), 1;
    char head[2048];
    int length = snprintf(head, sizeof head,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: %s\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\n\r\n",
                          argv[2], port, argv[3]);
    if (write(fd, head, length) != length) return 1;
    length = 0;
    while (length < 4 || memcmp(head + length - 4, "\r\n\r\n", 4))
        if (length == sizeof head || read(fd, head + length++, 1) != 1) return fprintf(stderr, "no handshake\n"), 1;
    if (!memmem(head, length, " 101", 4)) return fprintf(stderr, "%.*s\n", length, head), 1;

    unsigned char frame[4200];
    size_t size = masked_frame(frame, argv[5]);
    float *samples = malloc(MOST_SAMPLES * sizeof *samples);
    static char data[1 << 16];
    long long warm = now_ns() + WARM_UP_NS, end = warm + (long long)(atof(argv[4]) * 1e9), sent;
    long count = 0;
    while ((sent = now_ns()) < end) {
        if (write(fd, frame, size) != (ssize_t)size) return 1;
        for (;;) {
            ssize_t got = read(fd, data, sizeof data);
            if (got <= 0) return fprintf(stderr, "closed\n"), 1;
            if (memmem(data, got, "\"request_id\"", 12)) break;
        }
        if (sent > warm && count < MOST_SAMPLES) samples[count++] = (now_ns() - sent) / 1e6;
    }
    qsort(samples, count, sizeof *samples, compare);
    printf("{\"count\": %ld, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n", count, count ? samples[count / 2] : 0,
           count ? samples[count * 99 / 100] : 0);
    return 0;
}
