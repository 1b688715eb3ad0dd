import SSFKernels
import SSFTensors

/// Clipping by the global norm, as `torch.nn.utils.clip_grad_norm_` does it.
public enum GradientClipping {
    /// The Euclidean norm of a whole vector, summed in double precision.
    public static func norm(_ gradient: Tensor) -> Double {
        sumOfSquares(UnsafeBufferPointer(gradient.floats)).squareRoot()
    }

    /// What a part of a vector adds to the square of its norm.
    static func sumOfSquares(_ part: UnsafeBufferPointer<Float>) -> Double {
        part.isEmpty ? 0 : Elementwise.sumOfSquares(count: part.count, x: part.baseAddress!)
    }

    /// The factor by which to multiply gradients of norm `norm` so that they stay within `limit`: PyTorch's
    /// `min(1, limit / (norm + 1e-6))`; 1 without a limit.
    public static func factor(norm: Double, limit: Double?) -> Double {
        guard let limit else { return 1 }
        return min(1, limit / (norm + 1e-6))
    }
}
