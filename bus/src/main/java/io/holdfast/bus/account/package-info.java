/** Accounts for what each user and connection holds, and counts messages and refusals. */
@NullMarked
package io.holdfast.bus.account;

import org.jspecify.annotations.NullMarked;
