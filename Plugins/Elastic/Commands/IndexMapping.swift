/// What fields are, for a server of that version.
///
/// `auditd.data` has a member for each name that any record has: it is one field for the mapping, so
/// that names cannot fill it. A value that does not fit its field is left out of the search, and
/// stays in the document.
enum IndexMapping {
  static func mappings(for version: ServerVersion) -> String {
    let flat =
      version.flatType.map { type in
        // Bytes of a keyword are at most 32,766, of which UTF-8 needs 4 for a character.
        type == "flattened"
          ? #"{"type":"flattened","ignore_above":8000}"# : #"{"type":"\#(type)"}"#
      } ?? #"{"type":"object","dynamic":false}"#
    return """
      {"dynamic_templates":[{"texts":{"match_mapping_type":"string","mapping":{"type":"keyword",\
      "ignore_above":1024}}}],"properties":{"@timestamp":{"type":"date"},\
      "message":{"type":"text"},"error":{"properties":{"message":{"type":"text"}}},\
      "event":{"properties":{"id":\(keyword(1024)),"original":{"type":"keyword","index":false,\
      "doc_values":false},"ingested":{"type":"date"}}},\
      "process":{"properties":{"pid":{"type":"long"},"ppid":{"type":"long"},\
      "title":\(keyword(8000)),"args":\(keyword(8000)),"parent":{"properties":{"pid":{"type":"long"}}}}},\
      "source":{"properties":{"ip":\(address),"port":\(number)}},\
      "destination":{"properties":{"ip":\(address),"port":\(number)}},\
      "related":{"properties":{"ip":\(address)}},\
      "auditd":{"properties":{"sequence":{"type":"long"},"data":\(flat),"paths":\(flat),\
      "user":{"type":"object"}}}}}
      """
  }

  private static let address = #"{"type":"ip","ignore_malformed":true}"#
  private static let number = #"{"type":"long","ignore_malformed":true}"#
  private static func keyword(_ most: Int) -> String {
    #"{"type":"keyword","ignore_above":\#(most)}"#
  }

  static let settings = #"{"index.mapping.total_fields.limit":1000}"#

  /// The template of a data stream.
  static func template(for name: String, _ version: ServerVersion, pipeline: String?) -> String {
    let settings =
      pipeline.map {
        #"{"index.mapping.total_fields.limit":1000,"index.default_pipeline":"\#($0)"}"#
      } ?? settings
    return """
      {"index_patterns":["\(name)"],"data_stream":{},"priority":500,\
      "_meta":{"description":"Linux audit events, by audispatch-elastic"},\
      "template":{"settings":\(settings),"mappings":\(mappings(for: version))}}
      """
  }

  /// An index for what no other takes: nothing in a document can be wrong for it.
  static let refused = """
    {"mappings":{"dynamic":false,"properties":{"@timestamp":{"type":"date"},\
    "event":{"properties":{"id":\(keyword(1024)),"kind":\(keyword(1024)),"module":\(keyword(1024)),\
    "original":{"type":"keyword","index":false,"doc_values":false}}},\
    "error":{"properties":{"type":\(keyword(1024)),"message":{"type":"text"}}},\
    "document":{"properties":{"index":\(keyword(1024))}}}}}
    """

  /// A pipeline that notes when a document was stored.
  static let pipeline = """
    {"description":"Linux audit events, by audispatch-elastic","processors":[{"set":{\
    "field":"event.ingested","value":"{{{_ingest.timestamp}}}","ignore_failure":true}}]}
    """
}
