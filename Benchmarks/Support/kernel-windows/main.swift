import Windows

// Runs kernels in windows on demand, for a driver that alternates them with those of other libraries:
//
//     kernel-windows THREADS
//
// Every line of standard input is a request, and is answered by one line of JSON:
//
//     case NAME LINE          prepares the case that LINE names, to be called NAME from here on
//     window NAME SECONDS     calls it for that long, after calls that are not counted
//     peak f32|bf16|triad     the peak of multiply-adds in GFLOP/s, or the triad in GB/s, now
//     drop NAME               gives its memory back
//
// The first line that it writes says what it runs on. It ends with its standard input.

WindowProgram.run(KernelSession.self, name: "kernel-windows")
