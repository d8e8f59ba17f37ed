/**
 * What outlives an authority that is killed: temporary authorizations, and where its authentication
 * agents are.
 */
@NullMarked
package io.holdfast.authority.survival;

import org.jspecify.annotations.NullMarked;
