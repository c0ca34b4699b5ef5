import AuditRecord

/// What a record tells where its operation decides on the words.
extension EventFacts {
  /// The words of this very record; `nil` where those of the table fit.
  var recordVariant: Action? {
    guard let plain = Action.records[subjectName], let operation = shown("op", of: subject) else {
      return nil
    }
    func changed(_ past: String, _ infinitive: String) -> Action {
      Action(past: past, infinitive: infinitive, object: plain.object, details: plain.details)
    }
    switch subjectName {
    case "INTEGRITY_PCR" where operation == "invalid_pcr":
      return changed("invalidated the measurement of", "invalidate the measurement of")
    // What shadow's useradd and userdel do around the account.
    case "ADD_USER" where operation.contains("group"):
      return changed("added to a group user", "add to a group user")
    case "DEL_USER" where operation.contains("group"):
      return changed("removed from a group user", "remove from a group user")
    case "ADD_USER" where operation.contains("home directory"):
      return changed("made the home directory of user", "make the home directory of user")
    case "DEL_USER" where operation.contains("home directory"):
      return changed("deleted the home directory of user", "delete the home directory of user")
    case "DEL_USER" where operation.contains("mail file"):
      return changed("deleted the mail file of user", "delete the mail file of user")
    default: return nil
    }
  }
}
