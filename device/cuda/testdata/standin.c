/* A stand-in for libcuda.so.1 and libnvrtc on machines without a GPU (nvrtc.c). It checks what is
 * asked of a driver and writes down what is wrong: calls without their context, things used
 * after their end or in a context that is not theirs, asynchronous copies of memory that is
 * not pinned, results looked at without synchronisation. It can be told to fail.
 *
 * Commands of a stream are kept and run only when somebody waits for them, all that comes
 * before the awaited one, so that a missing wait shows as a wrong result. Tests steer it with
 * the functions at the end; with -DABORT the first misuse ends the process, for programs that
 * do not ask for what was wrong. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OK, INVALID_VALUE = 1, NO_MEMORY = 2, NO_CONTEXT = 201, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700 };
enum kind { CONTEXT, MODULE, FUNCTION, STREAM, EVENT, MEMORY, PINNED, KINDS };
static const char *kinds[] = {"context", "module", "function", "stream", "event", "memory", "pinned memory"};

struct command {
  enum { COPY_IN, COPY_OUT, LAUNCH, RECORD } what;
  struct command *next;
  char *device, *host;
  size_t bytes;
  void *staged; /* of a synchronous copy in: its contents when it was called */
  struct object *function, *event;
  unsigned groups, items;
  int count;
  int shape[512];
  char values[512][8];
};

struct object {
  enum kind kind;
  int dead;
  struct object *next, *context;
  char *start; /* MEMORY, PINNED */
  size_t bytes;
  int sticky, inside; /* CONTEXT */
  struct object *null;
  void *code; /* MODULE: its shared object */
  struct object *module; /* FUNCTION */
  int (*run)(unsigned, unsigned, void *const *);
  int (*shape)(int *);
  struct command *first, *last; /* STREAM */
  struct object *stream;        /* EVENT: where it was recorded last */
  int pending;
  double at;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct object *objects;
static int alive[KINDS];
static __thread struct object *current, *below;
static char wrong[8192];
static char fail_name[64];
static int fail_after, fail_code, fault_after, held, waiting;
int version = 12040, rtc_version = 12040;
static int devices = 1, start_code;

void note(const char *format, ...) {
  size_t n = strlen(wrong);
  va_list a;
  va_start(a, format);
  vsnprintf(wrong + n, sizeof wrong - n, format, a);
  va_end(a);
  n = strlen(wrong);
  if (n + 1 < sizeof wrong) strcpy(wrong + n, "\n");
#ifdef ABORT
  fprintf(stderr, "the driver was misused: %s", wrong);
  abort();
#endif
}

static struct object *make(enum kind kind) {
  struct object *o = calloc(1, sizeof *o);
  o->kind = kind, o->context = kind == CONTEXT ? NULL : current, o->next = objects;
  objects = o;
  alive[kind]++;
  return o;
}

/* Guards around memory of the device, where a kernel that writes out of bounds shows. */
#define GUARD 256
static void kill_object(struct object *o) {
  if (o->kind == MEMORY) {
    for (size_t i = 0; i < GUARD; i++)
      if (o->start[-1 - (long)i] != 0x5A || o->start[o->bytes + i] != 0x5A) {
        note("a kernel wrote out of a buffer of %zu bytes", o->bytes);
        break;
      }
    free(o->start - GUARD);
  }
  if (o->kind == MODULE && o->code) dlclose(o->code);
  o->dead = 1;
  alive[o->kind]--;
}

/* The object of a handle, if it may be used here; complains if not. */
static struct object *use(const char *call, enum kind kind, void *handle) {
  for (struct object *o = objects; o; o = o->next) {
    if (o != handle || o->kind != kind) continue;
    if (o->dead) note("%s: the %s has ended", call, kinds[kind]);
    else if (kind != CONTEXT && o->context != current) note("%s: the %s is of another context", call, kinds[kind]);
    else return o;
    return NULL;
  }
  note("%s: %p is no %s", call, handle, kinds[kind]);
  return NULL;
}

/* The memory that holds a range of addresses. */
static struct object *range(const char *call, enum kind kind, const char *start, size_t bytes, struct object *context) {
  for (struct object *o = objects; o; o = o->next)
    if (o->kind == kind && !o->dead && o->context == context && start >= o->start && start + bytes <= o->start + o->bytes) return o;
  note("%s: %zu bytes at %p are no %s of the context", call, bytes, (const void *)start, kinds[kind]);
  return NULL;
}

static int told_to_fail(const char *call) {
  return strcmp(call, fail_name) == 0 && --fail_after == 0 ? fail_code : OK;
}

/* Every function holds the lock; those of a context need one that is alive and well. */
#define LEAVE(code) do { int leave = (code); pthread_mutex_unlock(&lock); return leave; } while (0)
#define ENTER() int forced; pthread_mutex_lock(&lock); forced = told_to_fail(__func__); if (forced) LEAVE(forced)
#define ENTER_CONTEXT()                                               \
  ENTER();                                                            \
  if (!current) { note("%s: no context is current", __func__); LEAVE(NO_CONTEXT); }     \
  if (current->dead) { note("%s: the current context has ended", __func__); LEAVE(709); } \
  if (current->sticky) LEAVE(current->sticky)
#define USE(o, kind, handle) struct object *o = use(__func__, kind, handle); if (!o) LEAVE(400)

static int run_command(struct object *context, struct command *c) {
  void *parameters[512];
  struct timespec now;
  switch (c->what) {
  case COPY_IN:
    if (!range("copy in", MEMORY, c->device, c->bytes, context)) return ILLEGAL_ADDRESS;
    if (!c->staged && !range("copy in", PINNED, c->host, c->bytes, context)) return ILLEGAL_ADDRESS;
    memcpy(c->device, c->staged ? c->staged : c->host, c->bytes);
    free(c->staged);
    return OK;
  case COPY_OUT:
    if (!range("copy out", MEMORY, c->device, c->bytes, context)) return ILLEGAL_ADDRESS;
    if (!range("copy out", PINNED, c->host, c->bytes, context)) return ILLEGAL_ADDRESS;
    memcpy(c->host, c->device, c->bytes);
    return OK;
  case LAUNCH:
    if (c->function->dead) { note("a kernel runs whose module was unloaded"); return ILLEGAL_ADDRESS; }
    for (int i = 0; i < c->count; i++) {
      parameters[i] = c->values[i];
      if (c->shape[i] < 0 && !range("a kernel's argument", MEMORY, *(char **)c->values[i], 1, context)) return ILLEGAL_ADDRESS;
    }
    if (c->function->run(c->groups, c->items, parameters)) { note("some work items of a group ended, others meet"); return ILLEGAL_ADDRESS; }
    return fault_after > 0 && --fault_after == 0 ? ILLEGAL_ADDRESS : OK;
  default:
    clock_gettime(CLOCK_MONOTONIC, &now);
    c->event->at = now.tv_sec * 1e3 + now.tv_nsec * 1e-6;
    c->event->pending--;
    return OK;
  }
}

/* Runs the commands of a stream until an event has come, or all. */
static int drain(struct object *s, struct object *until) {
  struct object *context = s->context;
  while (s->first && !context->sticky && !(until && !until->pending)) {
    struct command *c = s->first;
    s->first = c->next;
    context->sticky = run_command(context, c);
    free(c);
  }
  return context->sticky;
}

static void append(struct object *s, struct command *c) {
  if (s->first) s->last->next = c; else s->first = c;
  s->last = c;
}

static struct command *new_command(int what) {
  struct command *c = calloc(1, sizeof *c);
  c->what = what;
  return c;
}

/* ---- the driver ---- */

int cuInit(unsigned flags) { (void)flags; return start_code; }
int cuDriverGetVersion(int *v) { *v = version; return OK; }
int cuDeviceGetCount(int *n) { *n = devices; return OK; }
int cuDeviceGet(int *d, int i) { *d = i; return i < devices ? OK : 101; }
int cuDeviceGetName(char *name, int bytes, int d) { snprintf(name, bytes, "stand-in %d", d); return OK; }
int cuDeviceTotalMem_v2(size_t *bytes, int d) { (void)d; *bytes = 1u << 30; return OK; }
int cuDeviceGetAttribute(int *v, int name, int d) {
  (void)d;
  switch (name) {
  case 1: *v = 1024; return OK;  /* work items of a group */
  case 8: *v = 49152; return OK; /* shared memory */
  case 18: case 20: *v = 0; return OK;
  case 75: *v = 9; return OK;
  case 76: *v = 0; return OK;
  case 99: *v = 1; return OK;
  }
  return INVALID_VALUE;
}
int cuGetErrorName(int code, const char **name) { *name = code == NO_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : code == ILLEGAL_ADDRESS ? "CUDA_ERROR_ILLEGAL_ADDRESS" : "CUDA_ERROR_OTHER"; return OK; }
int cuGetErrorString(int code, const char **text) { *text = code == NOT_FOUND ? "named symbol not found" : "told to fail"; return OK; }

int cuCtxCreate_v2(struct object **c, unsigned flags, int d) {
  ENTER();
  (void)flags, (void)d;
  *c = make(CONTEXT);
  below = current, current = *c;
  (*c)->null = make(STREAM);
  LEAVE(OK);
}
int cuCtxPopCurrent_v2(struct object **c) {
  ENTER();
  *c = current, current = below, below = NULL;
  LEAVE(OK);
}
int cuCtxSetCurrent(struct object *c) {
  ENTER();
  USE(o, CONTEXT, c);
  current = o;
  LEAVE(OK);
}
int cuCtxDestroy_v2(struct object *c) {
  ENTER();
  USE(o, CONTEXT, c);
  if (o->inside) note("a context is destroyed under a call that uses it");
  for (struct object *m = objects; m; m = m->next)
    if (!m->dead && m->context == o) kill_object(m);
  kill_object(o);
  LEAVE(OK);
}

int cuModuleLoadDataEx(struct object **m, const char *image, unsigned n, int *names, void **values) {
  ENTER_CONTEXT();
  void *code = dlopen(image, RTLD_NOW | RTLD_LOCAL);
  if (!code) {
    for (unsigned i = 0; i + 1 < n; i++)
      if (names[i] == 5 && names[i + 1] == 6) snprintf(values[i], (size_t)values[i + 1], "%s", dlerror());
    LEAVE(218);
  }
  *m = make(MODULE), (*m)->code = code;
  LEAVE(OK);
}
int cuModuleUnload(struct object *m) {
  ENTER_CONTEXT();
  USE(o, MODULE, m);
  for (struct object *f = objects; f; f = f->next)
    if (f->kind == FUNCTION && !f->dead && f->module == o) kill_object(f);
  kill_object(o);
  LEAVE(OK);
}
int cuModuleGetFunction(struct object **f, struct object *m, const char *name) {
  ENTER_CONTEXT();
  USE(o, MODULE, m);
  char symbol[256];
  snprintf(symbol, sizeof symbol, "standin_run_%s", name);
  void *run = dlsym(o->code, symbol);
  if (!run) LEAVE(NOT_FOUND);
  snprintf(symbol, sizeof symbol, "standin_shape_%s", name);
  *f = make(FUNCTION), (*f)->module = o;
  (*f)->run = (int (*)(unsigned, unsigned, void *const *))run;
  (*f)->shape = (int (*)(int *))dlsym(o->code, symbol);
  LEAVE(OK);
}
int cuFuncGetAttribute(int *v, int name, struct object *f) {
  ENTER_CONTEXT();
  USE(o, FUNCTION, f);
  (void)o;
  *v = 1024;
  LEAVE(name == 0 ? OK : INVALID_VALUE);
}
int cuLaunchKernel(struct object *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   struct object *stream, void **parameters, void **extra) {
  ENTER_CONTEXT();
  USE(o, FUNCTION, f);
  USE(s, STREAM, stream);
  if (gx == 0 || gy != 1 || gz != 1 || bx == 0 || bx > 1024 || by != 1 || bz != 1 || shared || extra) LEAVE(INVALID_VALUE);
  struct command *c = new_command(LAUNCH);
  c->function = o, c->groups = gx, c->items = bx, c->count = o->shape(c->shape);
  for (int i = 0; i < c->count; i++) memcpy(c->values[i], parameters[i], abs(c->shape[i]));
  append(s, c);
  LEAVE(OK);
}

int cuStreamCreate(struct object **s, unsigned flags) {
  ENTER_CONTEXT();
  if (flags != 1) note("a stream that waits for the default stream");
  *s = make(STREAM);
  LEAVE(OK);
}
int cuStreamDestroy_v2(struct object *s) {
  ENTER_CONTEXT();
  USE(o, STREAM, s);
  if (o->first) note("a stream is destroyed with commands in it");
  kill_object(o);
  LEAVE(OK);
}
int cuStreamSynchronize(struct object *s) {
  ENTER_CONTEXT();
  USE(o, STREAM, s ? s : current->null);
  LEAVE(drain(o, NULL));
}

int cuEventCreate(struct object **e, unsigned flags) {
  ENTER_CONTEXT();
  if (flags & ~1u) note("an event that takes no time");
  *e = make(EVENT);
  LEAVE(OK);
}
int cuEventDestroy_v2(struct object *e) {
  ENTER_CONTEXT();
  USE(o, EVENT, e);
  if (o->pending) note("an event is destroyed before it came");
  kill_object(o);
  LEAVE(OK);
}
int cuEventRecord(struct object *e, struct object *stream) {
  ENTER_CONTEXT();
  USE(o, EVENT, e);
  USE(s, STREAM, stream);
  struct command *c = new_command(RECORD);
  c->event = o, o->stream = s, o->pending++;
  append(s, c);
  LEAVE(OK);
}
int cuEventSynchronize(struct object *e) {
  ENTER_CONTEXT();
  USE(o, EVENT, e);
  struct object *context = current;
  context->inside++, waiting++;
  pthread_cond_broadcast(&changed);
  while (held) pthread_cond_wait(&changed, &lock);
  context->inside--, waiting--;
  if (context->dead) LEAVE(709);
  LEAVE(o->stream ? drain(o->stream, o) : OK);
}
int cuEventElapsedTime(float *ms, struct object *from, struct object *to) {
  ENTER_CONTEXT();
  USE(a, EVENT, from);
  USE(b, EVENT, to);
  if (a->pending || b->pending || !a->stream || !b->stream) { note("times are asked for before the events came"); LEAVE(NOT_READY); }
  *ms = (float)(b->at - a->at);
  LEAVE(OK);
}

int cuMemAlloc_v2(char **p, size_t bytes) {
  ENTER_CONTEXT();
  if (bytes == 0) LEAVE(INVALID_VALUE);
  struct object *o = make(MEMORY);
  char *all = malloc(bytes + 2 * GUARD);
  memset(all, 0x5A, bytes + 2 * GUARD);
  *p = o->start = all + GUARD, o->bytes = bytes;
  LEAVE(OK);
}
int cuMemFree_v2(char *p) {
  ENTER_CONTEXT();
  struct object *o = range(__func__, MEMORY, p, 1, current);
  if (!o || o->start != p) LEAVE(INVALID_VALUE);
  kill_object(o);
  LEAVE(OK);
}
int cuMemHostRegister_v2(char *p, size_t bytes, unsigned flags) {
  ENTER_CONTEXT();
  (void)flags;
  for (struct object *o = objects; o; o = o->next)
    if (o->kind == PINNED && !o->dead && p < o->start + o->bytes && o->start < p + bytes) { note("memory is pinned twice"); LEAVE(712); }
  struct object *o = make(PINNED);
  o->start = p, o->bytes = bytes;
  LEAVE(OK);
}
int cuMemHostUnregister(char *p) {
  ENTER_CONTEXT();
  struct object *o = range(__func__, PINNED, p, 1, current);
  if (!o || o->start != p) LEAVE(713);
  kill_object(o);
  LEAVE(OK);
}

static int copy(const char *call, int what, char *device, char *host, size_t bytes, struct object *stream) {
  if (!range(call, MEMORY, device, bytes, current) || !range(call, PINNED, host, bytes, current)) return INVALID_VALUE;
  struct command *c = new_command(what);
  c->device = device, c->host = host, c->bytes = bytes;
  append(stream, c);
  return OK;
}
int cuMemcpyHtoDAsync_v2(char *device, char *host, size_t bytes, struct object *stream) {
  ENTER_CONTEXT();
  USE(s, STREAM, stream);
  LEAVE(copy(__func__, COPY_IN, device, host, bytes, s));
}
int cuMemcpyDtoHAsync_v2(char *host, char *device, size_t bytes, struct object *stream) {
  ENTER_CONTEXT();
  USE(s, STREAM, stream);
  LEAVE(copy(__func__, COPY_OUT, device, host, bytes, s));
}
int cuMemcpyHtoD_v2(char *device, const char *host, size_t bytes) {
  ENTER_CONTEXT();
  if (!range(__func__, MEMORY, device, bytes, current)) LEAVE(INVALID_VALUE);
  struct command *c = new_command(COPY_IN);
  c->device = device, c->bytes = bytes, c->staged = memcpy(malloc(bytes), host, bytes);
  append(current->null, c);
  LEAVE(OK);
}
int cuMemcpyDtoH_v2(char *host, char *device, size_t bytes) {
  ENTER_CONTEXT();
  if (!range(__func__, MEMORY, device, bytes, current)) LEAVE(INVALID_VALUE);
  if (drain(current->null, NULL)) LEAVE(current->sticky);
  memcpy(host, device, bytes);
  LEAVE(OK);
}

/* ---- for tests ---- */

/* The next but n-1 call of a function returns a code; n 0 ends that. */
void standin_fail(const char *call, int n, int code) {
  pthread_mutex_lock(&lock);
  snprintf(fail_name, sizeof fail_name, "%s", call);
  fail_after = n, fail_code = code;
  pthread_mutex_unlock(&lock);
}
/* The kernel that runs as the n-th from now accesses memory that is not its own. */
void standin_fault(int n) { pthread_mutex_lock(&lock); fault_after = n; pthread_mutex_unlock(&lock); }
/* Waits hang until they are let go. */
void standin_hold(int on) { pthread_mutex_lock(&lock); held = on; pthread_cond_broadcast(&changed); pthread_mutex_unlock(&lock); }
/* Returns when somebody waits. */
void standin_await(void) { pthread_mutex_lock(&lock); while (!waiting) pthread_cond_wait(&changed, &lock); pthread_mutex_unlock(&lock); }
void standin_machine(int driver, int compiler, int count, int code) { version = driver, rtc_version = compiler, devices = count, start_code = code; }
int standin_alive(int kind) { pthread_mutex_lock(&lock); int n = alive[kind]; LEAVE(n); }
/* What was wrong since it was asked last. */
const char *standin_wrong(void) {
  static char out[sizeof wrong];
  pthread_mutex_lock(&lock);
  strcpy(out, wrong);
  wrong[0] = 0;
  pthread_mutex_unlock(&lock);
  return out;
}
