import SSFKernels
import SSFTensors

/// Clipping by the global norm, as `torch.nn.utils.clip_grad_norm_` does it.
public enum GradientClipping {
    /// The Euclidean norm of a whole vector, summed in double precision.
    public static func norm(_ gradient: Tensor) -> Double {
        guard gradient.count > 0 else { return 0 }
        return Elementwise.sumOfSquares(count: gradient.count, x: gradient.floats.baseAddress!).squareRoot()
    }

    /// The factor by which to multiply gradients of norm `norm` so that they stay within `limit`: PyTorch's
    /// `min(1, limit / (norm + 1e-6))`; 1 without a limit.
    public static func factor(norm: Double, limit: Double?) -> Double {
        guard let limit else { return 1 }
        return min(1, limit / (norm + 1e-6))
    }
}
