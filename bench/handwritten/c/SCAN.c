// The sum of a REAL column over tumbling windows of 60 s: SCAN.c ROWS.bin LAP_MICROS ROWS
#include "loop.h"

static const int64_t WINDOW = 60000000;

// first_at is the first row from i on that is not before the time, found by halving.
static int64_t first_at(const int64_t *ts, int64_t i, int64_t n, int64_t time) {
  int64_t to = n;
  while (i < to) {
    int64_t middle = i + (to - i) / 2;
    if (ts[middle] < time) i = middle + 1;
    else to = middle;
  }
  return i;
}

// Whole numbers below 2^24 are added exactly as integers, in any order.
static int64_t sum(const float *v, int64_t from, int64_t to) {
  int64_t total = 0;
  for (int64_t at = from; at < to; at += 1 << 14) {
    int64_t end = at + (1 << 14) < to ? at + (1 << 14) : to;
    int32_t part = 0;
    for (int64_t i = at; i < end; i++) part += (int32_t)v[i];
    total += part;
  }
  return total;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  load(argv[1]);
  const int64_t *ts = column(8);
  const float *v = column(4);
  int64_t lap = atoll(argv[2]), rows = atoll(argv[3]), end = WINDOW, total = 0;
  double from = seconds();
  for (int64_t moved = 0; rows > 0; moved += lap) {
    int64_t n = rows < rows_of_bundle ? rows : rows_of_bundle;
    for (int64_t i = 0; i < n;) {
      int64_t to = first_at(ts, i, n, end - moved);
      total += sum(v, i, to);
      i = to;
      if (i < n) {
        result(with(with(0, end), total));
        total = 0, end += WINDOW;
      }
    }
    rows -= n;
  }
  result(with(with(0, end), total));
  report(seconds() - from);
  return 0;
}
