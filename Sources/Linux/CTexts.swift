import Glibc

/// Texts as C has them, until they are freed.
@unsafe public struct CTexts {
  public let all: [UnsafePointer<CChar>?]

  public init(_ texts: [String?]) {
    unsafe all = texts.map { text in
      guard let text, let copy = unsafe strdup(text) else { return nil }
      return unsafe UnsafePointer(copy)
    }
  }

  public func free() {
    unsafe all.forEach { text in unsafe Glibc.free(UnsafeMutablePointer(mutating: text)) }
  }
}
