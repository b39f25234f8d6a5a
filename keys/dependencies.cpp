#include "keys/dependencies.hpp"

#include "keys/store_thread.hpp"

#include <utility>

namespace keygate::keys {

struct Dependencies::Impl {
  std::unique_ptr<Source> key_source;
  Listener listener;
};

Dependencies::Dependencies(const Place& place, const config::ResolutionSettings&, const Secrets&)
    : impl_(std::make_unique<Impl>()) {
  if (place.store != nullptr) impl_->key_source = place.store->source_for(place.io);
}

Dependencies::~Dependencies() = default;

Resolver::Parts Dependencies::for_keys() const {
  Resolver::Parts parts;
  if (impl_->key_source) parts.sources.push_back(impl_->key_source.get());
  return parts;
}

Resolver::Parts Dependencies::for_sessions() const { return {}; }

void Dependencies::listen(Listener listener) { impl_->listener = std::move(listener); }

void Dependencies::apply(const config::ResolutionSettings&, const Secrets&) {}

}  // namespace keygate::keys
