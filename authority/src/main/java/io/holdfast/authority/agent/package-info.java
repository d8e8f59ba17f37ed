/** Authentication agents, and the helper that authenticates for them. */
@NullMarked
package io.holdfast.authority.agent;

import org.jspecify.annotations.NullMarked;
