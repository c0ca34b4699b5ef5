/// What the plugin counts.
extension IntegrityPlugin {
  struct Counts: Equatable {
    var changes = 0
    var exact = 0
    var candidate = 0
    var none = 0
    var disagreements = 0
    var overflows = 0
    var scans = 0
    var unwatched = 0
    var updates = 0
    var amended = 0
  }

  var figures: [(name: String, value: Int)] {
    [
      ("changes", counts.changes), ("exact", counts.exact), ("candidate", counts.candidate),
      ("none", counts.none), ("amended", counts.amended), ("updates", counts.updates),
      ("waiting", updates.waiting.count), ("witness_disagrees", counts.disagreements),
      ("overflows", counts.overflows), ("scans", counts.scans), ("folders", watch.folders.count),
      ("folders_unwatched", counts.unwatched), ("settling", settling.count),
      ("reading", aside.count), ("events_written", output.written),
      ("events_dropped", output.dropped), ("records_written", records.figures.written),
      ("records_held", repeats.held), ("records_dropped", records.figures.dropped),
      ("marks_written", marks.figures.written), ("events_of_others", own.others),
    ]
      + (syslog.map {
        [
          ("syslog_sent", $0.sent), ("syslog_waiting", $0.waiting), ("syslog_dropped", $0.dropped),
        ]
      } ?? [])
  }

  mutating func count(_ attribution: Attribution, _ testimony: Testimony) {
    counts.changes += 1
    switch attribution.confidence {
    case .exact: counts.exact += 1
    case .candidate: counts.candidate += 1
    case .none: counts.none += 1
    }
    if testimony == .disagrees { counts.disagreements += 1 }
  }
}
