// SPDX-License-Identifier: MIT
// Suppressing and deleting people (events spec 5.7). A regulation is taken in durably, then carried
// out in steps, each of which may be repeated, so that it goes on after a crash where it was:
//
//   people   the profiles end, each in one batch with a note of who it was
//   gather   who was merged into them
//   events   what waits for destinations, sticky variations and overrides; records are counted
//   log      records of the log
//   rows     history, merges and what else is kept under their profile ids
//   news     destinations that can are told
//   scrub    notes and names go, then the state is written anew without what was deleted
//
//   regulation       ""             id                    how far it is; names until the last step
//   regulation_open  ""             time, id              those that are not finished, failed ones
//                                                         too
//   regulation_note  regulation id  number of the subject profiles::Removed; `remains`: profile ids
//   regulation_news  ""             id                    its news may still wait: scrub again
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/json/document.h"
#include "core/profiles/removal.h"

namespace edge {

class Edge;

/// Subjects of one regulation.
inline constexpr std::size_t kMaxSubjects = 5'000;

enum class RegulationType : std::uint8_t {
  SuppressOnly,
  Unsuppress,
  DeleteOnly,
  SuppressWithDelete
};

/// What somebody asked for.
struct RegulationRequest {
  RegulationType type = RegulationType::DeleteOnly;
  profiles::Name subject = profiles::Name::UserId;
  std::vector<std::string> ids = {};
  bool keep_events = false;  ///< of a deletion: the profile goes, its events stay
};

/// Reads the body of POST /cdp/regulations. Failure: InvalidArgument with `field`.
Result<RegulationRequest> read_regulation(json::Value body);

/// Thread-safe; `work` one call at a time.
class Regulations {
 public:
  /// Borrows the services for life.
  explicit Regulations(Edge& edge) : edge_(edge) {}

  /// Takes a regulation in, durably; a suppression, or its end, is in force when this returns. Its
  /// id. Failure: InvalidArgument; of the store.
  Result<std::string> start(const RegulationRequest& request);
  /// `{"id","regulationType","subjectType","subjects":n,"status":"RUNNING"|"FINISHED"|"FAILED",
  /// "createdAt","finishedAt"?,"error"?,"counts":{"profiles","events","deliveries","deadLetters","told"},"manual":[…]}`;
  /// times in ms. `manual`: destinations that must be told by hand. Failure: NotFound.
  Result<std::string> document(std::string_view id) const;

  /// A failed one runs again from the step that failed. Failures: NotFound; Conflict (reason
  /// `not_failed`); of the store.
  Result<void> retry(std::string_view id);

  /// Carries out what is open, oldest first. True: something was done. One that meets a damaged
  /// file ends as failed and waits for `retry`. Failure: of the store, or Unavailable when
  /// something must be waited for: the first, after all others had their turn; what is done is not
  /// lost. `drain`: brings the profiles up to date where no thread does.
  Result<bool> work(const std::stop_token& stop = {},
                    const std::function<Result<void>()>& drain = {});
  /// Removes visitors without a user id who were last seen before `before`, with all that is kept
  /// of them but their events. How many.
  Result<std::size_t> expire_visitors(Time before,
                                      const std::stop_token& stop = {},
                                      const std::function<Result<void>()>& drain = {});

 private:
  struct Record;
  struct Run;

  Result<Record> read(std::string_view id) const;
  Result<void> write(const Record& record, storage::Batch batch = {});
  Result<void> carry_out(Record& record, const Run& run);
  Result<void> end_profiles(Record& record, const Run& run);
  Result<void> gather(Record& record);
  Result<void> fail(Record& record, const Error& error);
  Result<events::Person> person_of(const Record& record) const;
  Result<void> forget_events(Record& record);
  Result<void> erase_events(Record& record);
  Result<void> remove_rows(Record& record);
  Result<void> tell(Record& record);
  Result<void> finish(Record& record);
  Result<bool> scrub_after_news();
  Result<void> run_task(profiles::Projector::Task task, const Run& run);

  Edge& edge_;
};

}  // namespace edge
