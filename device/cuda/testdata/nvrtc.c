/* The part of the stand-in that plays NVRTC: the host's C++ compiler, with host.h. Its "code"
 * is the name of a shared object in FOLDER, made once for each text. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int version, rtc_version; /* of driver and compiler */
void note(const char *format, ...);

static pthread_mutex_t compiling = PTHREAD_MUTEX_INITIALIZER;
static struct { char *source, code[256]; } made[256];
static int made_count;

struct program {
  char *source, *log, code[256];
};

int nvrtcVersion(int *major, int *minor) { *major = rtc_version / 1000, *minor = rtc_version % 1000 / 10; return 0; }
int nvrtcGetNumSupportedArchs(int *n) { *n = 3; return 0; }
int nvrtcGetSupportedArchs(int *list) { list[0] = 70, list[1] = 80, list[2] = 90; return 0; }
const char *nvrtcGetErrorString(int code) { return code == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR"; }
int nvrtcCreateProgram(struct program **p, const char *source, const char *name, int n, void *headers, void *names) {
  (void)name, (void)n, (void)headers, (void)names;
  *p = calloc(1, sizeof **p);
  (*p)->source = strdup(source), (*p)->log = strdup("");
  return 0;
}

/* Writes the text, with a line for each entry point behind it. */
static void write_source(FILE *f, const char *source) {
  fputs(source, f);
  fputs("\n", f);
  for (const char *at = source; (at = strstr(at, "KERNEL ")); at++) {
    char name[128];
    if ((at == source || at[-1] == '\n') && sscanf(at, "KERNEL %127[a-zA-Z0-9_](", name) == 1) fprintf(f, "ENTRY(%s)\n", name);
  }
}

static int compile(struct program *p) {
  for (int i = 0; i < made_count; i++)
    if (strcmp(made[i].source, p->source) == 0) {
      strcpy(p->code, made[i].code);
      return 0;
    }
  char base[200], command[1200], said[4096];
  snprintf(base, sizeof base, "%s/program-XXXXXX", FOLDER);
  int file = mkstemp(base);
  if (file < 0) return 1;
  FILE *f = fdopen(file, "w");
  write_source(f, p->source);
  fclose(f);
  snprintf(p->code, sizeof p->code, "%s.so", base);
  snprintf(command, sizeof command, "c++ -x c++ -std=c++17 -O1 -w -ffp-contract=off -fPIC -shared -include " HOST_HEADER " -o %s %s 2>&1", p->code, base);
  FILE *compiler = popen(command, "r");
  if (!compiler) return 1;
  size_t got = fread(said, 1, sizeof said - 1, compiler);
  said[got] = 0;
  while (fgetc(compiler) != EOF) {}
  int status = pclose(compiler);
  unlink(base);
  free(p->log);
  p->log = strdup(said);
  if (status != 0) return 6;
  if (made_count < (int)(sizeof made / sizeof *made)) {
    made[made_count].source = strdup(p->source);
    strcpy(made[made_count++].code, p->code);
  }
  return 0;
}

int nvrtcCompileProgram(struct program *p, int n, const char **options) {
  int target = 0, exact = 0;
  for (int i = 0; i < n; i++) {
    target += strcmp(options[i], version >= rtc_version ? "--gpu-architecture=compute_90" : "--gpu-architecture=sm_90") == 0;
    exact += strcmp(options[i], "--fmad=false") == 0;
  }
  if (target != 1 || exact != 1) note("options of the compiler are missing");
  pthread_mutex_lock(&compiling);
  int code = compile(p);
  pthread_mutex_unlock(&compiling);
  return code;
}
int nvrtcDestroyProgram(struct program **p) { free((*p)->source); free((*p)->log); free(*p); *p = NULL; return 0; }
int nvrtcGetProgramLogSize(struct program *p, size_t *n) { *n = strlen(p->log) + 1; return 0; }
int nvrtcGetProgramLog(struct program *p, char *b) { strcpy(b, p->log); return 0; }
int nvrtcGetPTXSize(struct program *p, size_t *n) { *n = strlen(p->code) + 1; return version >= rtc_version ? 0 : 3; }
int nvrtcGetPTX(struct program *p, char *b) { strcpy(b, p->code); return 0; }
int nvrtcGetCUBINSize(struct program *p, size_t *n) { *n = strlen(p->code) + 1; return version < rtc_version ? 0 : 3; }
int nvrtcGetCUBIN(struct program *p, char *b) { strcpy(b, p->code); return 0; }

