/* What NVRTC declares by itself, for a compile check by clang without a toolkit. */
#define __global__      __attribute__((global))
#define __device__      __attribute__((device))
#define __shared__      __attribute__((shared))
#define __forceinline__ __inline__ __attribute__((always_inline))
struct numbers { unsigned x, y, z; };
#define threadIdx (numbers{(unsigned)__nvvm_read_ptx_sreg_tid_x(), 0, 0})
#define blockIdx  (numbers{(unsigned)__nvvm_read_ptx_sreg_ctaid_x(), 0, 0})
#define blockDim  (numbers{(unsigned)__nvvm_read_ptx_sreg_ntid_x(), 1, 1})
#define gridDim   (numbers{(unsigned)__nvvm_read_ptx_sreg_nctaid_x(), 1, 1})
static __device__ __forceinline__ int atomicAdd(int *p, int v) { return __nvvm_atom_add_gen_i(p, v); }
static __device__ __forceinline__ int atomicMin(int *p, int v) { return __nvvm_atom_min_gen_i(p, v); }
static __device__ __forceinline__ int atomicCAS(int *p, int was, int v) { return __nvvm_atom_cas_gen_i(p, was, v); }
static __device__ __forceinline__ long long __double_as_longlong(double v) { return __builtin_bit_cast(long long, v); }
static __device__ __forceinline__ int __float_as_int(float v) { return __builtin_bit_cast(int, v); }
static __device__ __forceinline__ double __longlong_as_double(long long v) { return __builtin_bit_cast(double, v); }
static __device__ __forceinline__ float __int_as_float(int v) { return __builtin_bit_cast(float, v); }
static __device__ __forceinline__ unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned long long)((unsigned __int128)a * b >> 64); }
extern "C" __device__ double sqrt(double);
extern "C" __device__ double floor(double);
extern "C" __device__ double ceil(double);
extern "C" __device__ double round(double);
extern "C" __device__ double trunc(double);
extern "C" __device__ double fmod(double, double);
