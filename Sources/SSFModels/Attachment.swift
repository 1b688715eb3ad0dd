import SSFGraph

/// A way of tuning, as a model sees it: something that edits a recorded program and says what is trained.
///
/// The general means are those of `Program`: put an operation behind a site, declare parameters, let parameters train.
public protocol Attachment: Sendable {
    /// Edits the program that `model` has recorded.
    ///
    /// Called once for each batch size, so it must do the same every time.
    ///
    /// - Throws: `UserError` where the method does not fit the model.
    func attach(to program: inout Program, of model: any Model) throws
}
