/// The kernels once more, in `Double`, one loop per sum of the formula: written to be read and to be believed.
///
/// Nothing here is fast and nothing is threaded. The tests hold every kernel of every instruction set against these
/// functions, and check the gradients of these functions against finite differences. All arrays are row-major and
/// contiguous; each function has the same operands, in the same order, as the kernel of its name.
package enum Reference {}
