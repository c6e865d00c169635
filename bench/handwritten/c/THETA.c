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
    int32_t match[WINDOW + 16];
    int64_t n = 0;
    for (int l = 0; l < WINDOW; l++) {
      int32_t la = wa[l], lb = wb[l];
      int m = 0;
      for (int r = 0; r < WINDOW; r++) {
        match[m] = r;
        m += (la < wb[r]) & (la + 150 > wb[r]);
      }
      for (int k = 0; k < m; k++) out_a[n + k] = la, out_b[n + k] = lb, out_c[n + k] = wa[match[k]];
      n += m;
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
