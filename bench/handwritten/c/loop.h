// What the loops share: rows come as columns in a file (a count, then one column after
// another, 8-byte aligned), results leave as their number and a sum over them that does
// not depend on their order.
#ifndef LOOP_H
#define LOOP_H
#define _POSIX_C_SOURCE 199309L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int64_t rows_of_bundle;
static char *columns, *next_column;

static void load(const char *path) {
  FILE *f = fopen(path, "rb");
  long size;
  if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 8 || fseek(f, 0, SEEK_SET)) {
    perror(path);
    exit(2);
  }
  columns = aligned_alloc(64, ((size_t)size + 127) & ~(size_t)63);
  if (!columns || fread(columns, 1, (size_t)size, f) != (size_t)size) {
    fprintf(stderr, "%s: cannot read\n", path);
    exit(2);
  }
  fclose(f);
  rows_of_bundle = *(int64_t *)columns;
  next_column = columns + 8;
}

static const void *column(size_t width) {
  const void *at = next_column;
  next_column += ((size_t)rows_of_bundle * width + 7) & ~(size_t)7;
  return at;
}

static uint64_t results, result_sum;

static inline uint64_t with(uint64_t h, int64_t value) { return (h ^ (uint64_t)value) * 0x9E3779B97F4A7C15u; }
static inline void result(uint64_t hash) { results++, result_sum += hash ^ hash >> 32; }

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void report(double elapsed) {
  printf("%llu %llu %.9f\n", (unsigned long long)results, (unsigned long long)result_sum, elapsed);
}
#endif
