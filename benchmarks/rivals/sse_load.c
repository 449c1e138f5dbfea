// sse_load PORT PATH CLIENTS SECONDS PID: that many Server-Sent Events clients in one thread, so that the load is not the
// bottleneck. Events say when they were made as "@NANOSECONDS@" (monotonic clock). After a warm-up of two seconds, and 3 ms a
// client, it counts for SECONDS, and reads the server's processor time and memory from /proc/PID. Prints JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_SAMPLES 8000000
#define WARM_UP_NS 2000000000LL
#define WARM_UP_EACH_NS 3000000LL

static long long now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static double cpu_seconds(int pid) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, sizeof line, file)) return 0;
    fclose(file);
    unsigned long user = 0, system = 0;
    sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

static long memory_kb(int pid) {
    char path[64];
    long size = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%ld %ld", &size, &resident) != 2) return 0;
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static int connect_client(int port, const char *request, int length) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (void *)&address, sizeof address) || write(fd, request, length) != length) {
        perror("connect");
        exit(1);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static int compare(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static float *samples;
static long sampled, events;

static void count(char *data, size_t length, long long now) {
    char *at = data, *end = data + length;
    while ((at = memchr(at, '@', end - at))) {
        char *stop;
        long long made = strtoll(at + 1, &stop, 10);
        if (stop < end && *stop == '@' && stop - at > 10) {
            events++;
            if (sampled < MOST_SAMPLES && now > made) samples[sampled++] = (now - made) / 1e6;
            at = stop + 1;
        } else {
            at++;
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    int port = atoi(argv[1]), clients = atoi(argv[3]), pid = atoi(argv[5]);
    double seconds = atof(argv[4]);
    char request[512];
    int length = snprintf(request, sizeof request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n\r\n", argv[2], port);
    samples = malloc(MOST_SAMPLES * sizeof *samples);
    int epoll = epoll_create1(0);
    long before = memory_kb(pid), dead = 0;
    for (int i = 0; i < clients; i++) {
        struct epoll_event interest = {EPOLLIN, {.fd = connect_client(port, request, length)}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, interest.data.fd, &interest);
    }
    static char data[1 << 18];
    struct epoll_event ready[512];
    long long warm = now_ns() + WARM_UP_NS + clients * WARM_UP_EACH_NS, end = warm + (long long)(seconds * 1e9);
    double cpu = 0;
    long connected = 0;
    int counting = 0;
    while (now_ns() < end) {
        int found = epoll_wait(epoll, ready, 512, 100);
        if (!counting && now_ns() > warm) {
            counting = 1;
            events = sampled = 0;
            cpu = cpu_seconds(pid);
            connected = memory_kb(pid);
        }
        for (int i = 0; i < found; i++) {
            ssize_t got = read(ready[i].data.fd, data, sizeof data);
            if (got > 0) {
                count(data, got, now_ns());
            } else if (got == 0 || errno != EAGAIN) {
                epoll_ctl(epoll, EPOLL_CTL_DEL, ready[i].data.fd, 0);
                dead++;
            }
        }
    }
    cpu = cpu_seconds(pid) - cpu;
    qsort(samples, sampled, sizeof *samples, compare);
    printf("{\"events_per_s\": %.0f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.1f, \"dead\": %ld, "
           "\"cpu_s\": %.3f, \"kb_per_client\": %.1f}\n",
           events / seconds, sampled ? samples[sampled / 2] : 0, sampled ? samples[sampled * 99 / 100] : 0,
           sampled ? samples[sampled - 1] : 0, dead, cpu, (double)(connected - before) / clients);
    return 0;
}
