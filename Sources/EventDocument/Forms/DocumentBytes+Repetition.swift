import AudispatchPlugin
import AuditRecord

extension DocumentBytes {
  /// How many events a document stands for, as the last member of its object, which is complete:
  /// `"aggregate":{"count":5,"first":{"time":"…","serial":1},"last":{…}}`.
  mutating func append(_ repetition: Repetition, _ form: DocumentForm) {
    reopenObject()
    object(form == .laurel ? "AGGREGATE" : "aggregate")
    key("count")
    integer(repetition.count)
    moment("first", repetition.first)
    moment("last", repetition.last)
    endObject()
    endObject()
  }

  private mutating func moment(_ name: StaticString, _ stamp: RecordStamp) {
    object(name)
    key("time")
    openString()
    TimeText.append(stamp.milliseconds, trimmed: false, to: &self)
    closeString()
    key("serial")
    integer(Int(clamping: stamp.serial))
    endObject()
  }
}
