// Pairs with equal keys within windows of 100,000 rows: EQUI.c ROWS.bin LAP_MICROS ROWS [sum]
// Without "sum" the rows are written, window after window, and only counted.
#include "loop.h"
#include <string.h>

enum { WINDOW = 100000, SLOTS = 1 << 18 };
static int32_t head[SLOTS], chain[WINDOW];
static int64_t out_k[WINDOW];
static int32_t out_v[WINDOW], out_w[WINDOW];

static inline uint32_t hash(int64_t k) { return (uint32_t)((uint64_t)k * 0x9E3779B97F4A7C15u >> 46); }

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  load(argv[1]);
  const int64_t *k = column(8);
  const int32_t *v = column(4);
  int64_t rows = atoll(argv[3]);
  if (rows_of_bundle != WINDOW) return 2; // keys are unique in a window: at most one match a row
  double from = seconds();
  for (int64_t w = 0; w + WINDOW <= rows; w += WINDOW) {
    int64_t n = 0;
    memset(head, 0xff, sizeof head);
    for (int i = 0; i < WINDOW; i++) {
      uint32_t s = hash(k[i]);
      chain[i] = head[s], head[s] = i;
    }
    for (int i = 0; i < WINDOW; i++)
      for (int32_t r = head[hash(k[i])]; r >= 0; r = chain[r])
        if (k[r] == k[i]) out_k[n] = k[i], out_v[n] = v[i], out_w[n] = v[r], n++;
    if (argc == 5) {
      for (int64_t i = 0; i < n; i++) result(with(with(with(0, out_k[i]), out_v[i]), out_w[i]));
    } else {
      results += (uint64_t)n;
    }
  }
  report(seconds() - from);
  return 0;
}
