import Windows

// Runs training steps and inference of whole models in windows on demand, for a driver that alternates them with those
// of other programs:
//
//     step-windows THREADS
//
// Every line of standard input is a request, and is answered by one line of JSON:
//
//     case NAME LINE              prepares the step that LINE names (StepCase), to be called NAME from here on: its
//                                 operations, planned bytes and trained numbers
//     window NAME CALLS           makes so many steps: seconds of each
//     memory                      the most memory that was resident so far, in bytes
//     record NAME INPUTS OUTPUT   one forward and backward pass over the tensors images and labels of the safetensors
//                                 file INPUTS; writes the trainables, their gradients and the losses into OUTPUT
//     peak f32|bf16|triad         the peak of multiply-adds in GFLOP/s, or the triad in GB/s, now
//
// The first line that it writes says what it runs on. It ends with its standard input.

WindowProgram.run(StepSession.self, name: "step-windows")
