import CYAML
import Configuration

/// What stands in a YAML text, from its beginning to its end, by libyaml.
@safe struct YAMLEvents: ~Copyable {
  enum Event: Equatable {
    case scalar(String, isPlain: Bool)
    case listStart
    case tableStart
    /// Of a list or a table.
    case end
    case alias
    case documentStart
    case other
    case streamEnd
  }

  /// An event, and where it begins.
  struct Found {
    var event: Event
    /// The name that what begins here has for aliases, or the one that an alias has.
    var anchor: String?
    var position: Diagnostic.Position
  }

  private let file: String
  private let places: YAMLPlaces
  /// libyaml reads it as long as it lives.
  private let text: UnsafeMutableBufferPointer<UInt8>
  private let parser: UnsafeMutablePointer<yaml_parser_t>

  /// - Parameter bytes: UTF-8.
  init(_ bytes: [UInt8], file: String) {
    self.file = file
    places = YAMLPlaces(bytes)
    unsafe text = .allocate(capacity: max(bytes.count, 1))
    _ = unsafe text.initialize(from: bytes)
    unsafe parser = .allocate(capacity: 1)
    precondition(unsafe yaml_parser_initialize(parser) == 1, "no memory for a parser")
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
    unsafe text.deallocate()
  }

  mutating func next() throws(Diagnostic) -> Found {
    var raw = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &raw) == 1 else { throw unsafe fault(parser.pointee) }
    defer { unsafe yaml_event_delete(&raw) }
    let position = places.position(ofCharacter: unsafe raw.start_mark.index)
    var found = Found(event: .other, position: position)
    switch unsafe raw.type {
    case YAML_SCALAR_EVENT:
      let scalar = unsafe raw.data.scalar
      let tag = try tag(unsafe Self.string(scalar.tag), position)
      let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
      let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      found.event = .scalar(
        unsafe String(decoding: bytes, as: UTF8.self), isPlain: isPlain && tag != "str")
      found.anchor = unsafe Self.string(scalar.anchor)
    case YAML_SEQUENCE_START_EVENT:
      _ = try tag(unsafe Self.string(raw.data.sequence_start.tag), position)
      found.event = .listStart
      found.anchor = unsafe Self.string(raw.data.sequence_start.anchor)
    case YAML_MAPPING_START_EVENT:
      _ = try tag(unsafe Self.string(raw.data.mapping_start.tag), position)
      found.event = .tableStart
      found.anchor = unsafe Self.string(raw.data.mapping_start.anchor)
    case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: found.event = .end
    case YAML_ALIAS_EVENT:
      found.event = .alias
      found.anchor = unsafe Self.string(raw.data.alias.anchor)
    case YAML_DOCUMENT_START_EVENT: found.event = .documentStart
    case YAML_STREAM_END_EVENT: found.event = .streamEnd
    default: break
    }
    return found
  }

  private static func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    guard let text = unsafe text else { return nil }
    return unsafe String(cString: text)
  }

  /// The type that a tag gives a value; `str` for what is to be a text in any case.
  private func tag(
    _ tag: String?, _ position: Diagnostic.Position
  ) throws(Diagnostic) -> String? {
    guard let tag else { return nil }
    if tag == "!" { return "str" }
    let prefix = "tag:yaml.org,2002:"
    let known = ["str", "int", "float", "bool", "null", "seq", "map"]
    guard tag.hasPrefix(prefix), known.contains(String(tag.dropFirst(prefix.count))) else {
      throw Diagnostic(.error, file: file, at: position, word: tag, "a tag that has no meaning")
    }
    return String(tag.dropFirst(prefix.count))
  }

  private func fault(_ parser: yaml_parser_t) -> Diagnostic {
    let problem = unsafe parser.problem.map { unsafe String(cString: $0) } ?? "cannot be read"
    let isOfBytes = unsafe parser.error == YAML_READER_ERROR
    let position =
      isOfBytes
      ? places.position(ofByte: unsafe parser.problem_offset)
      : places.position(ofCharacter: unsafe parser.problem_mark.index)
    return Diagnostic(.error, file: file, at: position, "no YAML: \(problem)")
  }
}
