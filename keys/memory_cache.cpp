#include "keys/memory_cache.hpp"

#include <algorithm>
#include <utility>

namespace keygate::keys {

struct MemoryCache::Entry : boost::intrusive::list_base_hook<> {
  KeyDigest digest;
  std::shared_ptr<const Record> record;
};

// The map owns the entries, the list orders them: used last at the front.
struct MemoryCache::Shelf {
  boost::unordered_flat_map<KeyDigest, std::unique_ptr<Entry>, DigestHash> entries;
  boost::intrusive::list<Entry> by_use;

  // Allocates nothing.
  std::shared_ptr<const Record> find(const KeyDigest& digest, SteadyTime now, std::chrono::milliseconds limit) {
    const auto found = entries.find(digest);
    if (found == entries.end()) return nullptr;
    Entry& entry = *found->second;
    if (now - entry.record->asked_at >= limit) {
      forget(digest);
      return nullptr;
    }
    by_use.splice(by_use.begin(), by_use, by_use.iterator_to(entry));
    return entry.record;
  }

  void put(const KeyDigest& digest, std::shared_ptr<const Record> record, std::size_t capacity) {
    forget(digest);
    if (capacity == 0) return;
    shrink_to(capacity - 1);
    auto entry = std::make_unique<Entry>();
    entry->digest = digest;
    entry->record = std::move(record);
    Entry& kept = *entry;
    entries.emplace(digest, std::move(entry));
    by_use.push_front(kept);
  }

  void forget(const KeyDigest& digest) {
    const auto found = entries.find(digest);
    if (found == entries.end()) return;
    by_use.erase(by_use.iterator_to(*found->second));
    entries.erase(found);
  }

  void shrink_to(std::size_t size) {
    while (entries.size() > size) {
      const KeyDigest oldest = by_use.back().digest;
      forget(oldest);
    }
  }

  ~Shelf() { by_use.clear(); }  // before the entries go, as their hooks ask
};

MemoryCache::MemoryCache(config::MemorySettings settings, std::chrono::milliseconds retention)
    : known_(std::make_unique<Shelf>()),
      unknown_(std::make_unique<Shelf>()),
      settings_(settings),
      retention_(retention) {}

MemoryCache::~MemoryCache() = default;

std::shared_ptr<const Record> MemoryCache::find(const KeyDigest& digest, SteadyTime now) {
  if (auto record = known_->find(digest, now, retention_)) return record;
  return unknown_->find(digest, now, std::min(settings_.unknown_ttl, retention_));
}

void MemoryCache::put(const KeyDigest& digest, std::shared_ptr<const Record> record, SteadyTime now) {
  const bool is_unknown = record->answer.state == policy::KeyAnswer::State::unknown;
  const auto limit = is_unknown ? std::min(settings_.unknown_ttl, retention_) : retention_;
  // Whatever was known before is superseded, even by what is itself too old to keep.
  if (now - record->asked_at >= limit) return forget(digest);
  (is_unknown ? known_ : unknown_)->forget(digest);
  if (is_unknown) {
    unknown_->put(digest, std::move(record), settings_.max_unknown_keys);
  } else {
    known_->put(digest, std::move(record), settings_.max_keys);
  }
}

void MemoryCache::forget(const KeyDigest& digest) {
  known_->forget(digest);
  unknown_->forget(digest);
}

void MemoryCache::clear() {
  known_->shrink_to(0);
  unknown_->shrink_to(0);
}

void MemoryCache::apply(config::MemorySettings settings, std::chrono::milliseconds retention) {
  settings_ = settings;
  retention_ = retention;
  known_->shrink_to(settings_.max_keys);
  unknown_->shrink_to(settings_.unknown_ttl.count() == 0 ? 0 : settings_.max_unknown_keys);
}

std::size_t MemoryCache::known_size() const { return known_->entries.size(); }

std::size_t MemoryCache::unknown_size() const { return unknown_->entries.size(); }

}  // namespace keygate::keys
