/// What the plugin counts.
extension IntegrityPlugin {
  var figures: [(name: String, value: Int)] {
    told.counts.figures
      + [
        ("waiting", packaging.count), ("overflows", watching.overflows),
        ("scans", scanning.count), ("folders", watching.folders),
        ("folders_unwatched", watching.unwatched), ("states_waiting", known.waiting),
        ("states_early", known.early), ("states_unkept", known.unkept),
      ] + files.figures + telling.figures + stream.figures
  }
}

extension ToldChanges {
  struct Counts: Equatable {
    var changes = 0
    var exact = 0
    var candidate = 0
    var none = 0
    var amended = 0
    var updates = 0
    var disagreements = 0

    mutating func note(_ attribution: Attribution, _ testimony: Testimony) {
      changes += 1
      switch attribution.confidence {
      case .exact: exact += 1
      case .candidate: candidate += 1
      case .none: none += 1
      }
      if testimony == .disagrees { disagreements += 1 }
    }

    var figures: [(name: String, value: Int)] {
      [
        ("changes", changes), ("exact", exact), ("candidate", candidate), ("none", none),
        ("amended", amended), ("updates", updates), ("witness_disagrees", disagreements),
      ]
    }
  }
}
