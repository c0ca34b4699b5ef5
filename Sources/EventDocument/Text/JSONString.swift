/// A text as JSON has it, for those who put their own JSON around documents and parts of them.
public enum JSONString {
  /// Appends it in quotes: valid UTF-8 whatever its bytes are, with U+FFFD for each that is none.
  public static func append(_ text: borrowing Span<UInt8>, to json: inout [UInt8]) {
    var out = DocumentBytes(.replaced, behind: &json)
    out.byte(0x22)
    out.escape(text)
    out.byte(0x22)
    out.give(to: &json)
  }

  public static func append(_ text: String, to json: inout [UInt8]) {
    append(text.utf8.span, to: &json)
  }
}
