// Pairs within windows of 1024 rows with l.a < r.b < l.a + 150: THETA.c ROWS.bin LAP_MICROS ROWS [sum]
// Without "sum" the rows are written, window after window, and only counted.
#include "loop.h"

enum { WINDOW = 1024 };
static int32_t out_a[WINDOW * WINDOW + 16], out_b[WINDOW * WINDOW + 16], out_c[WINDOW * WINDOW + 16];

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  load(argv[1]);
  const int32_t *a = column(4), *b = column(4);
  int64_t rows = atoll(argv[3]);
  double from = seconds();
  for (int64_t w = 0; w + WINDOW <= rows; w += WINDOW) {
    const int32_t *wa = a + w % rows_of_bundle, *wb = b + w % rows_of_bundle;
    int64_t n = 0;
    for (int l = 0; l < WINDOW; l++) {
      int32_t la = wa[l], lb = wb[l];
      uint64_t flags[WINDOW / 8]; // a byte a row: this loop becomes vector instructions
      uint8_t *flag = (uint8_t *)flags;
      for (int r = 0; r < WINDOW; r++) flag[r] = (la < wb[r]) & (la + 150 > wb[r]);
      for (int g = 0; g < WINDOW / 8; g++)
        for (uint64_t left = flags[g]; left; left &= left - 1, n++) {
          int r = g * 8 + __builtin_ctzll(left) / 8;
          out_a[n] = la, out_b[n] = lb, out_c[n] = wa[r];
        }
    }
    if (argc == 5) {
      for (int64_t i = 0; i < n; i++) result(with(with(with(0, out_a[i]), out_b[i]), out_c[i]));
    } else {
      results += (uint64_t)n;
    }
  }
  report(seconds() - from);
  return 0;
}
