import Linux

extension ThreadWork {
  /// Begins on a thread of its own.
  ///
  /// - Parameter undo: called where there can be none, so that the next one who asks tries again.
  func begin(otherwise undo: () -> Void) throws(SystemError) {
    do throws(SystemError) { try WorkThread(self).detach() } catch {
      undo()
      throw error
    }
  }
}
