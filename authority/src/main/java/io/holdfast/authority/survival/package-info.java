/**
 * The state that survives when an authority is killed: its temporary authorizations, and the
 * addresses of its authentication agents.
 */
@NullMarked
package io.holdfast.authority.survival;

import org.jspecify.annotations.NullMarked;
