// Views per campaign in tumbling windows of 100 s: YSB.c ROWS.bin LAP_MICROS ROWS ADS.bin
#include "loop.h"

enum { SLOTS = 4096, CAMPAIGNS = 1024, CHUNK = 1024 };
static const int64_t WINDOW = 100000000;
static int64_t slot_ad[SLOTS], campaign_id[CAMPAIGNS];
static int32_t slot_campaign[SLOTS];
static int64_t views[CAMPAIGNS], last[CAMPAIGNS];
static int campaigns;

static inline uint32_t hash(int64_t ad) { return (uint32_t)((uint64_t)ad * 0x9E3779B97F4A7C15u >> 52); }

static void load_ads(const char *path) {
  load(path);
  const int64_t *ad = column(8), *campaign = column(8);
  for (int i = 0; i < SLOTS; i++) slot_campaign[i] = -1;
  for (int64_t i = 0; i < rows_of_bundle; i++) {
    int c = 0;
    while (c < campaigns && campaign_id[c] != campaign[i]) c++;
    if (c == campaigns) campaign_id[campaigns++] = campaign[i];
    uint32_t s = hash(ad[i]);
    while (slot_campaign[s] >= 0) s = (s + 1) % SLOTS;
    slot_ad[s] = ad[i], slot_campaign[s] = c;
  }
}

static void close_window(int64_t end) {
  for (int c = 0; c < campaigns; c++) {
    if (views[c] == 0) continue;
    result(with(with(with(with(0, end), campaign_id[c]), views[c]), last[c]));
    views[c] = 0, last[c] = INT64_MIN;
  }
}

// count takes rows of one window: first the positions of views without a branch, then
// their ads.
static void count(const int64_t *ts, const int64_t *ad, const int32_t *type, int64_t from, int64_t to, int64_t moved) {
  int32_t views_at[CHUNK + 1];
  int m = 0, n = (int)(to - from);
  ts += from, ad += from, type += from;
  for (int i = 0; i < n; i++) {
    views_at[m] = i;
    m += type[i] == 0;
  }
  for (int k = 0; k < m; k++) {
    int i = views_at[k];
    uint32_t s = hash(ad[i]);
    while (slot_campaign[s] >= 0 && slot_ad[s] != ad[i]) s = (s + 1) % SLOTS;
    int32_t c = slot_campaign[s];
    if (c < 0) continue;
    int64_t t = ts[i] + moved;
    views[c]++;
    if (t > last[c]) last[c] = t;
  }
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  for (int c = 0; c < CAMPAIGNS; c++) last[c] = INT64_MIN;
  load_ads(argv[4]);
  load(argv[1]);
  const int64_t *ts = column(8), *ad = column(8);
  const int32_t *type = column(4);
  int64_t lap = atoll(argv[2]), rows = atoll(argv[3]), end = WINDOW;
  double from = seconds();
  for (int64_t moved = 0; rows > 0; moved += lap) {
    int64_t n = rows < rows_of_bundle ? rows : rows_of_bundle;
    for (int64_t i = 0; i < n;) {
      if (ts[i] + moved >= end) {
        close_window(end);
        end = ((ts[i] + moved) / WINDOW + 1) * WINDOW;
      }
      int64_t to = i + CHUNK < n ? i + CHUNK : n;
      while (ts[to - 1] + moved >= end) to--;
      count(ts, ad, type, i, to, moved);
      i = to;
    }
    rows -= n;
  }
  close_window(end);
  report(seconds() - from);
  return 0;
}
