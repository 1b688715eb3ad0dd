#ifndef SSF_CINTRINSICS_GEMM_H
#define SSF_CINTRINSICS_GEMM_H

#include <stdbool.h>

// What the micro-kernels of a matrix product do beside multiplying. Structs of C, because the module of each instruction
// set has types of its own for whatever it declares in Swift, and these are handed to all of them. Their meaning, in
// formulas, is documented at `GEMMEpilogue` and `GEMMPrologue`.

/// What a tile applies to its sums, and where the results go. Pointers are to element (0, 0) of the whole product.
typedef struct {
    float *_Nonnull c;
    long cRowStride;
    /// The row of the product whose place is the first row of `c`.
    long cFirstRow;
    bool accumulate;
    /// 0: none; 1: GELU; 2: times the derivative of GELU at `geluScale * geluInput + geluShift`.
    int activation;
    const float *_Nullable bias;
    const float *_Nullable scale;
    const float *_Nullable shift;
    float *_Nullable kept;
    long keptRowStride;
    const float *_Nullable geluInput;
    long geluInputRowStride;
    const float *_Nullable geluScale;
    const float *_Nullable geluShift;
    const float *_Nullable rowScale;
    const float *_Nullable residual;
    long residualRowStride;
} ssf_gemm_epilogue;

/// What happens to A while it is packed. Pointers are to element (0, 0) of the whole of A.
typedef struct {
    /// 0: nothing; 1: layer normalisation; 2: GELU; 3: the gradient of a scale and shift.
    int kind;
    const float *_Nonnull a;
    long rowStride;
    long columnStride;
    /// Per step of k: weight and bias of the normalisation, scale and shift before GELU. Of the gradient: the scale.
    const float *_Nullable scale;
    const float *_Nullable shift;
    /// Of the gradient: the factor of a row, and what its scale was applied to.
    const float *_Nullable rowScale;
    const float *_Nullable h;
    /// What is taken from it, at the same places.
    const float *_Nullable subtrahend;
    long hRowStride;
} ssf_gemm_prologue;

/// What a thread has for its tiles: scratch, and what they ask the memory for while they multiply.
typedef struct {
    /// Room for a tile.
    float *_Nonnull scratch;
    /// Addresses that the next tile asks the memory for, spread over its steps, as many lines each as a row of a tile
    /// has; behind the `listCount` that it finds it has room for 64 of its own.
    void *_Nonnull list;
    long listCount;
    /// The partial sums that the next tile starts from.
    const float *_Nullable nextPartial;
} ssf_gemm_slot;

#endif
