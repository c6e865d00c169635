/* Words of the common dialect that need no backend. */
#define I64(high, low)  ((i64)((u64)high##u << 32 | (u64)low##u))

/* Comparison of floats as SQL has it: NaN equals NaN and is the greatest, -0 equals 0. */
#define EQ_FLOAT(a, b)  ((a) == (b) || ((a) != (a) && (b) != (b)))
#define LT_FLOAT(a, b)  ((a) < (b) || ((b) != (b) && (a) == (a)))

/* Arithmetic that wraps around, without what C leaves undefined. */
#define ADD_I32(a, b)  ((i32)((u32)(a) + (u32)(b)))
#define SUB_I32(a, b)  ((i32)((u32)(a) - (u32)(b)))
#define ADD_I64(a, b)  ((i64)((u64)(a) + (u64)(b)))
#define SUB_I64(a, b)  ((i64)((u64)(a) - (u64)(b)))
#define MUL_I64(a, b)  ((i64)((u64)(a) * (u64)(b)))

/* Whether a * b does not fit: the upper half of the exact product is not the sign. */
FUNCTION i32 mul_over(i64 a, i64 b) {
  i64 high = (i64)(HIGH_U64(a, b) - (a < 0 ? (u64)b : 0) - (b < 0 ? (u64)a : 0));
  return high != (MUL_I64(a, b) < 0 ? (i64)-1 : (i64)0);
}

/* Division by what is neither 0 nor -1 in the rows that count; others get 1. */
FUNCTION i32 div_i32(i32 a, i32 b) { return b == -1 ? SUB_I32(0, a) : a / (b == 0 ? 1 : b); }
FUNCTION i64 div_i64(i64 a, i64 b) { return b == -1 ? SUB_I64(0, a) : a / (b == 0 ? 1 : b); }
FUNCTION i32 mod_i32(i32 a, i32 b) { return b == -1 ? 0 : a % (b == 0 ? 1 : b); }
FUNCTION i64 mod_i64(i64 a, i64 b) { return b == -1 ? 0 : a % (b == 0 ? 1 : b); }

/* Division rounded down, b > 0. */
FUNCTION i64 floor_div(i64 a, i64 b) { i64 q = a / b; return a % b < 0 ? q - 1 : q; }
FUNCTION i64 floor_mod(i64 a, i64 b) { i64 r = a % b; return r < 0 ? r + b : r; }

/* The Gregorian date of a day counted from 1970-01-01, as year << 16 | month << 8 | day.
 * Years are counted from March, so that the leap day is the last of its year. */
FUNCTION i64 civil(i64 days) {
  i64 day = days + 719468;
  i64 era = floor_div(day, 146097);
  i64 in_era = day - era * 146097;
  i64 year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
  i64 in_year = in_era - (365 * year + year / 4 - year / 100);
  i64 month = (5 * in_year + 2) / 153;
  i64 date = in_year - (153 * month + 2) / 5 + 1;
  i64 past = month >= 10;
  return MUL_I64(year + era * 400 + past, 65536) + (past ? month - 9 : month + 3) * 256 + date;
}
#define CIVIL_YEAR(c)   floor_div((c), 65536)
#define CIVIL_MONTH(c)  (((c) & 65535) >> 8)
#define CIVIL_DAY(c)    ((c) & 255)
#define CIVIL_QUARTER(c)  ((CIVIL_MONTH(c) + 2) / 3)
#define CIVIL_DECADE(c)   floor_div(CIVIL_YEAR(c), 10)

/* Periods of years: the first begins with year 1, the one before it is the -1st. */
FUNCTION i64 period_of(i64 year, i64 length) {
  i64 n = floor_div(year - 1, length) + 1;
  return n < 1 ? n - 1 : n;
}
#define CIVIL_CENTURY(c)     period_of(CIVIL_YEAR(c), 100)
#define CIVIL_MILLENNIUM(c)  period_of(CIVIL_YEAR(c), 1000)

/* The day, counted from 1970-01-01, on which a year begins. */
FUNCTION i64 year_start(i64 year) {
  i64 y = year - 1;
  return y * 365 + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400) - 719162;
}
/* Numbers that are equal for floats that group together, and a step of a hash. */
#define KEY_F32(x)  ((x) == 0 ? (i64)0 : (x) != (x) ? (i64)1 << 40 : (i64)OF_F32(x))
#define KEY_F64(x)  ((x) == 0 ? (i64)0 : (x) != (x) ? (i64)-1 : (i64)OF_F64(x))
FUNCTION u64 mix(u64 h, i64 v) {
  h = (h ^ (u64)v) * I64(0xff51afd7, 0xed558ccd);
  return h ^ h >> 33;
}

/* The first position of the pane that holds a position. Edges of windows lie at multiples
 * of slide, and behind each at the remainder edge, which is slide if there is none. */
FUNCTION i64 pane_of(i64 position, i64 slide, i64 edge) {
  i64 in_slide = floor_mod(position, slide);
  return SUB_I64(position, in_slide >= edge ? in_slide - edge : in_slide);
}
/* ---- end of the dialect ---- */
