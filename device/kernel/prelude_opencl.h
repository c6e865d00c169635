/* The common dialect on OpenCL C 1.2. */
#pragma OPENCL FP_CONTRACT OFF
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double f64;
#endif
typedef uchar u8; typedef int i32; typedef uint u32; typedef long i64; typedef ulong u64; typedef float f32;
#define KERNEL    __kernel void
#define GLOBAL    __global
#define SHARED    __local
#define FUNCTION  static inline
#define RESTRICT  restrict
#define ITEM      ((i32)get_global_id(0))
#define LOCAL     ((i32)get_local_id(0))
#define GROUP     ((i32)get_group_id(0))
#define GROUPS    ((i32)get_num_groups(0))
/* All work items of a group meet; writes to shared and global memory are seen behind it. */
#define MEET()    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE)
/* 32-bit atomics on global memory; each gives the value before. */
#define SWAP_IF(p, was, v)  atomic_cmpxchg((volatile __global i32 *)(p), (was), (v))
#define ADD(p, v)           atomic_add((volatile __global i32 *)(p), (v))
#define MIN(p, v)           atomic_min((volatile __global i32 *)(p), (v))
#define HIGH_U64(a, b)      mul_hi((u64)(a), (u64)(b))
#define SQRT_F64(x)   sqrt(x)
#define FLOOR_F64(x)  floor(x)
#define CEIL_F64(x)   ceil(x)
#define ROUND_F64(x)  round(x)
#define TRUNC_F64(x)  trunc(x)
#define FMOD_F64(x, y) fmod((x), (y))
#define OF_F64(x)     as_long(x)
#define OF_F32(x)     as_int(x)
#define BITS_F64(x)   as_double((i64)(x))
#define BITS_F32(x)   as_float((i32)(x))
/* ---- end of prelude ---- */
