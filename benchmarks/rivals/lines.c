/* lines RATE SECONDS [LENGTH]: writes RATE lines a second for SECONDS, each beginning with CLOCK_MONOTONIC in
 * nanoseconds and its number, filled to LENGTH bytes. Paced by the clock, with a random phase. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv)
{
    double rate = atof(argv[1]), seconds = atof(argv[2]);
    int length = argc > 3 ? atoi(argv[3]) : 80;
    long long period = 1e9 / rate, count = rate * seconds;
    char line[4096];

    if (length > (int)sizeof line)
        length = sizeof line;
    srand(getpid());
    long long start = now() + (long long)((double)rand() / RAND_MAX * period) + 300000000LL;
    for (long long i = 0; i < count; i++) {
        long long due = start + i * period;
        struct timespec t = {due / 1000000000, due % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
        int used = snprintf(line, sizeof line, "%lld %lld ", now(), i);
        while (used < length - 1) {
            line[used] = 'a' + used % 26;
            used++;
        }
        line[used++] = '\n';
        if (write(1, line, used) < 0)
            return 1;
    }
    return 0;
}
