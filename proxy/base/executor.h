// Where work can be handed to from any thread: an event loop, as those see it who may not know one.
#pragma once

#include <functional>

namespace verge {

using Task = std::move_only_function<void()>;

class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `task` on the executor's own thread, in the order of posting, never inside this call. Thread-safe. Tasks
  // still waiting when the executor ends are destroyed unrun.
  virtual void post(Task task) = 0;
};

} // namespace verge
