/// A date of the Gregorian calendar.
public struct CivilDate: Equatable, Sendable {
  public let year: Int64
  /// From 1.
  public let month: Int64
  /// From 1.
  public let day: Int64

  /// The date of a day, counted from 1970-01-01 on; below zero: before that.
  public init(daysSince1970 days: Int64) {
    // In eras of 400 years that begin on a first of March, so that a leap day is a year's last.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}
