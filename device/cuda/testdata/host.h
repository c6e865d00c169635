/* What a program's text in CUDA C++ needs to be compiled for the host. The work items of a
 * group run one after the other, each until it ends or meets the others; those that meet
 * have a stack each. Groups run one after the other, too, so shared memory can be static
 * and atomic operations plain ones. It shows what a program computes, not its races. */
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <type_traits>
#include <ucontext.h>
#include <utility>

/* Hidden, so that an entry point may be called what a function of libc is. */
#define __global__ __attribute__((visibility("hidden")))
#define __device__
#define __shared__ static
#define __forceinline__ inline

namespace {

struct number { unsigned x; };
number blockIdx, threadIdx, blockDim, gridDim;

const int stack_bytes = 128 << 10;
struct fiber {
  ucontext_t start;
  jmp_buf at;
  bool begun, ended;
  char *stack;
} *fibers;
int fiber_count;
jmp_buf scheduler;
void (*body)(void *const *);
void *const *parameters;

/* Starting one takes system calls, so it stays for the groups to come. */
void fiber_main() {
  for (;;) {
    body(parameters);
    fibers[threadIdx.x].ended = true;
    if (_setjmp(fibers[threadIdx.x].at) == 0) _longjmp(scheduler, 1);
  }
}

inline void __syncthreads() {
  if (_setjmp(fibers[threadIdx.x].at) == 0) _longjmp(scheduler, 1);
}

/* Runs a group. 1: some of its work items ended, others wait to meet them. */
int run_group() {
  for (unsigned i = 0; i < blockDim.x; i++) fibers[i].ended = false;
  for (;;) {
    static unsigned item, ended; /* jumps keep what is static */
    for (item = ended = 0; item < blockDim.x; item++) {
      if (_setjmp(scheduler) == 0) {
        fiber *f = &fibers[item];
        threadIdx.x = item;
        if (f->begun) _longjmp(f->at, 1);
        f->begun = true;
        getcontext(&f->start);
        f->start.uc_stack.ss_sp = f->stack;
        f->start.uc_stack.ss_size = stack_bytes;
        makecontext(&f->start, fiber_main, 0);
        setcontext(&f->start);
      }
      ended += fibers[item].ended;
    }
    if (ended == blockDim.x) return 0;
    if (ended > 0) {
      for (unsigned i = 0; i < blockDim.x; i++) fibers[i].begun = false;
      return 1;
    }
  }
}

int run(void (*f)(void *const *), unsigned groups, unsigned items, void *const *a) {
  body = f, parameters = a, gridDim.x = groups, blockDim.x = items;
  if ((int)items > fiber_count) {
    fibers = (fiber *)realloc(fibers, items * sizeof *fibers);
    for (; fiber_count < (int)items; fiber_count++) {
      fibers[fiber_count].begun = false;
      fibers[fiber_count].stack = (char *)malloc(stack_bytes);
    }
  }
  for (blockIdx.x = 0; blockIdx.x < groups; blockIdx.x++)
    if (run_group() != 0) return 1;
  return 0;
}

template <class... P, size_t... I> void spread(void (*f)(P...), void *const *a, std::index_sequence<I...>) {
  f(*(std::remove_const_t<P> *)a[I]...);
}
template <class... P> void apply(void (*f)(P...), void *const *a) { spread(f, a, std::index_sequence_for<P...>()); }

/* The bytes of each parameter, negative for pointers. */
template <class... P> int shape(void (*)(P...), int *bytes) {
  int at = 0;
  ((bytes[at++] = std::is_pointer_v<P> ? -(int)sizeof(P) : (int)sizeof(P)), ...);
  return at;
}

inline int atomicCAS(int *p, int was, int v) { int old = *p; if (old == was) *p = v; return old; }
inline int atomicAdd(int *p, int v) { int old = *p; *p += v; return old; }
inline int atomicMin(int *p, int v) { int old = *p; if (v < old) *p = v; return old; }
inline int atomicMax(int *p, int v) { int old = *p; if (v > old) *p = v; return old; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned __int128)a * b >> 64; }
template <class To, class From> To same_bits(From v) { To to; memcpy(&to, &v, sizeof to); return to; }
inline long long __double_as_longlong(double v) { return same_bits<long long>(v); }
inline double __longlong_as_double(long long v) { return same_bits<double>(v); }
inline int __float_as_int(float v) { return same_bits<int>(v); }
inline float __int_as_float(int v) { return same_bits<float>(v); }

} // namespace

/* Put behind the text, once for each entry point. */
#define ENTRY(name)                                                                    \
  static void standin_body_##name(void *const *a) { apply(name, a); }                  \
  extern "C" int standin_run_##name(unsigned groups, unsigned items, void *const *a) { \
    return run(standin_body_##name, groups, items, a);                                 \
  }                                                                                    \
  extern "C" int standin_shape_##name(int *bytes) { return shape(name, bytes); }
