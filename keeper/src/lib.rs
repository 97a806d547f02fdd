//! The keeper: the core's engine on a real chain, a real store and a real key.
