/**
 * Accounts for what each user and connection holds, counts what passes, and names what is refused.
 */
@NullMarked
package io.holdfast.bus.account;

import org.jspecify.annotations.NullMarked;
