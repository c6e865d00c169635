/* The common dialect on CUDA C++. Compile without contraction: --fmad=false. */
typedef unsigned char u8; typedef int i32; typedef unsigned int u32;
typedef long long i64; typedef unsigned long long u64; typedef float f32; typedef double f64;
#define KERNEL    extern "C" __global__ void
#define GLOBAL
#define SHARED    __shared__
#define FUNCTION  static __device__ __forceinline__
#define RESTRICT  __restrict__
#define ITEM      ((i32)(blockIdx.x * blockDim.x + threadIdx.x))
#define LOCAL     ((i32)threadIdx.x)
#define GROUP     ((i32)blockIdx.x)
#define GROUPS    ((i32)gridDim.x)
#define MEET()    __syncthreads()
#define SWAP_IF(p, was, v)  atomicCAS((i32 *)(p), (was), (v))
#define ADD(p, v)           atomicAdd((i32 *)(p), (v))
#define MIN(p, v)           atomicMin((i32 *)(p), (v))
#define HIGH_U64(a, b)      __umul64hi((u64)(a), (u64)(b))
#define SQRT_F64(x)   sqrt(x)
#define FLOOR_F64(x)  floor(x)
#define CEIL_F64(x)   ceil(x)
#define ROUND_F64(x)  round(x)
#define TRUNC_F64(x)  trunc(x)
#define FMOD_F64(x, y) fmod((x), (y))
#define OF_F64(x)     __double_as_longlong(x)
#define OF_F32(x)     __float_as_int(x)
#define BITS_F64(x)   __longlong_as_double((i64)(x))
#define BITS_F32(x)   __int_as_float((i32)(x))
/* ---- end of prelude ---- */
