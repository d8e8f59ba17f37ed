package io.holdfast.varlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.wire.CallMessage;
import io.holdfast.varlink.wire.CallMessage.Mode;
import io.holdfast.varlink.wire.MalformedMessageException;
import io.holdfast.varlink.wire.ReplyMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@SameOnEveryKernel
class MessageTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[] | a call is an object",
                "1 | a call is an object",
                "{} | \"method\" is missing",
                "{\"method\":1} | \"method\" is no string",
                "{\"method\":null} | \"method\" is no string",
                "{\"method\":\"a.b.C\",\"parameters\":[]} | \"parameters\" are an object",
                "{\"method\":\"a.b.C\",\"odd\":1} | a call has no field \"odd\"",
                "{\"method\":\"a.b.C\",\"more\":1} | \"more\" is no boolean",
                "{\"method\":\"a.b.C\",\"oneway\":null} | \"oneway\" is no boolean",
                "{\"method\":\"a.b.C\",\"more\":true,\"oneway\":true} | exclude one another",
                "{\"method\":\"a.b.C\",\"upgrade\":true,\"more\":true} | exclude one another",
            })
    void whatIsNoCallIsRefusedWithTheReason(String json, String reason) {
        assertThatThrownBy(() -> CallMessage.of(Json.parse(json)))
                .isInstanceOf(MalformedMessageException.class)
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @EnumSource
    void aCallReadsBackEqual(Mode mode) throws Exception {
        CallMessage call = new CallMessage("a.b.C", JsonObject.of("x", 1), mode);
        assertThat(CallMessage.of(call.toJson())).isEqualTo(call);
    }

    @Test
    void nullParametersAndFalseFlagsAreAsIfAbsent() throws Exception {
        assertThat(
                        CallMessage.of(
                                Json.parse(
                                        """
                                        {"method":"a.b.C","parameters":null,"more":false,
                                         "oneway":false,"upgrade":true}
                                        """)))
                .isEqualTo(new CallMessage("a.b.C", JsonObject.EMPTY, Mode.UPGRADE));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[] | a reply is an object",
                "{\"parameters\":1} | \"parameters\" are an object",
                "{\"error\":1} | \"error\" is no error's name",
                "{\"error\":\"NoDots\"} | \"error\" is no error's name",
                "{\"error\":\"a.b.C\",\"continues\":true} | an error cannot continue",
                "{\"continues\":1} | \"continues\" is no boolean",
                "{\"odd\":1} | a reply has no field \"odd\"",
            })
    void whatIsNoReplyIsRefusedWithTheReason(String json, String reason) {
        assertThatThrownBy(() -> ReplyMessage.of(Json.parse(json)))
                .isInstanceOf(MalformedMessageException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void repliesReadBackEqualAndAnErrorWithoutParametersHasNone() throws Exception {
        for (ReplyMessage reply :
                new ReplyMessage[] {
                    ReplyMessage.success(JsonObject.EMPTY),
                    ReplyMessage.continuing(JsonObject.of("x", 1)),
                    ReplyMessage.failure(VarlinkException.invalidParameter("x")),
                    ReplyMessage.failure(VarlinkException.permissionDenied())
                }) {
            assertThat(ReplyMessage.of(reply.toJson())).isEqualTo(reply);
        }
        assertThat(ReplyMessage.failure(VarlinkException.expectedMore()).toJson())
                .hasToString("{\"error\":\"org.varlink.service.ExpectedMore\"}");
        assertThat(ReplyMessage.success(JsonObject.EMPTY).toJson())
                .hasToString("{\"parameters\":{}}");
    }
}
