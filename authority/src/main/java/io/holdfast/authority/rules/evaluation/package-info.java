/** Compiled rules files, and an evaluation of them: its realm, its subject and its programs. */
@NullMarked
package io.holdfast.authority.rules.evaluation;

import org.jspecify.annotations.NullMarked;
