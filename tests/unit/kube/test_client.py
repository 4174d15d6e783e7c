"""The adapter without a network: what it sends, and what the client's exceptions become."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from kubernetes.aio.client.exceptions import ApiException

from slurmjob_operator.kube import client as adapter
from slurmjob_operator.kube import errors
from slurmjob_operator.kube.client import KubeClient
from slurmjob_operator.kube.port import Kind, KubeEvent, ObjectKey, Secret

JOB = ObjectKey(kind=Kind.SLURM_JOB, namespace="ns", name="wing", uid="u-1")
CONNECTION = ObjectKey(kind=Kind.SLURM_CONNECTION, namespace="ns", name="campus", uid="u-2")
FINALIZER = "slurmjob.dev/slurm-job"


class Recorder:
    """Stands for the generated API classes: notes each call, and answers or raises what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.answers: list[Any] = []

    def __call__(self, _api: object) -> Recorder:
        return self

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **keywords: Any) -> Any:
            self.calls.append((name, arguments, keywords))
            answer = self.answers.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        return call


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(adapter.client, "CustomObjectsApi", recorder)
    monkeypatch.setattr(adapter.client, "CoreV1Api", recorder)
    return recorder


@pytest.fixture
def kube(api: Recorder) -> KubeClient:
    return KubeClient(instance="operator-0")


def failure(status: int | None, body: object = None, reason: str = "a reason") -> ApiException:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    return ApiException(status=status, reason=reason, body=text)


def refusal(message: str, *causes: str) -> dict[str, Any]:
    return {"kind": "Status", "message": message, "details": {"causes": [{"reason": cause} for cause in causes]}}


# --- Errors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.Invalid),
        (401, errors.Unavailable),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (410, errors.Unavailable),
        (422, errors.Invalid),
        (429, errors.Unavailable),
        (500, errors.Unavailable),
        (503, errors.Unavailable),
        (504, errors.Unavailable),
        (0, errors.Unavailable),
        (None, errors.Unavailable),
    ],
)
async def test_answers_become_errors(
    kube: KubeClient, api: Recorder, status: int | None, kind: type[errors.KubeError]
) -> None:
    api.answers = [failure(status, refusal("the server's own sentence"))]
    with pytest.raises(errors.KubeError) as caught:
        await kube.get(JOB)
    assert type(caught.value) is kind
    assert str(caught.value) == f"the API server answered {status}: the server's own sentence"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__, "the client's exception repeats headers and bodies"


@pytest.mark.parametrize(
    ("status", "causes", "kind"),
    [
        (403, ("NamespaceTerminating",), errors.Terminating),
        (403, ("Other", "NamespaceTerminating"), errors.Terminating),
        (403, ("Other",), errors.Forbidden),
        (404, ("NamespaceTerminating",), errors.NotFound),
    ],
)
async def test_a_namespace_that_goes(
    kube: KubeClient, api: Recorder, status: int, causes: tuple[str, ...], kind: type[errors.KubeError]
) -> None:
    api.answers = [failure(status, refusal("no", *causes))]
    with pytest.raises(errors.KubeError) as caught:
        await kube.get(JOB)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "body",
    [None, "", "<html>", "[]", "null", "7", {"no": "message"}, {"message": "m", "details": {"causes": ["text"]}}],
)
async def test_a_body_that_is_no_status(kube: KubeClient, api: Recorder, body: object) -> None:
    api.answers = [failure(403, body, reason="Forbidden by a proxy")]
    with pytest.raises(errors.Forbidden, match="answered 403: Forbidden by a proxy"):
        await kube.get(JOB)


@pytest.mark.parametrize("details", [None, {}, {"causes": None}])
async def test_a_status_without_causes(kube: KubeClient, api: Recorder, details: object) -> None:
    api.answers = [failure(403, {"message": "m", "details": details})]
    with pytest.raises(errors.Forbidden, match="answered 403: m"):
        await kube.get(JOB)


async def test_a_long_sentence_is_cut(kube: KubeClient, api: Recorder) -> None:
    api.answers = [failure(422, refusal("x" * 5000))]
    with pytest.raises(errors.Invalid) as caught:
        await kube.get(JOB)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        aiohttp.ServerDisconnectedError("secret"),
        aiohttp.ClientPayloadError("secret"),
        ConnectionResetError("secret"),
        OSError("secret"),
    ],
)
async def test_no_answer(kube: KubeClient, api: Recorder, error: BaseException) -> None:
    api.answers = [error]
    with pytest.raises(errors.Unavailable, match=rf"did not answer \({type(error).__name__}\)$"):
        await kube.get(JOB)


async def test_a_defect_is_not_hidden(kube: KubeClient, api: Recorder) -> None:
    api.answers = [ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        await kube.get(JOB)


# --- Requests -------------------------------------------------------------------------------------------------


async def test_another_object_of_that_name_is_not_found(kube: KubeClient, api: Recorder) -> None:
    api.answers = [{"metadata": {"uid": "u-1"}}, {"metadata": {"uid": "u-9"}}]
    assert await kube.get(JOB) == {"metadata": {"uid": "u-1"}}
    with pytest.raises(errors.NotFound, match="ns/wing is another object now"):
        await kube.get(JOB)
    assert api.calls[0][1] == ("slurmjob.dev", "v1alpha1", "ns", "slurmjobs", "wing")


async def test_a_status_goes_as_a_merge_patch_under_a_precondition(kube: KubeClient, api: Recorder) -> None:
    api.answers = [{"written": True}]
    old: Mapping[str, Any] = {"state": "Pending", "slurm": {"states": ["PENDING"], "reason": "Priority"}, "active": 1}
    new: Mapping[str, Any] = {"state": "Running", "slurm": {"states": ["RUNNING"]}, "active": 1}
    assert await kube.write_status(JOB, old=old, new=new, resource_version="41") == {"written": True}
    name, arguments, keywords = api.calls[0]
    assert name == "patch_namespaced_custom_object_status"
    assert arguments[-1] == {
        "metadata": {"resourceVersion": "41"},
        "status": {"state": "Running", "slurm": {"states": ["RUNNING"], "reason": None}},
    }
    assert keywords["_content_type"] == "application/merge-patch+json"
    assert keywords["_request_timeout"] > 0


async def test_finalizers_go_under_the_same_precondition_and_the_uid(kube: KubeClient, api: Recorder) -> None:
    api.answers = [{}]
    await kube.write_finalizers(CONNECTION, finalizers=["a"], resource_version="41")
    name, arguments, keywords = api.calls[0]
    assert name == "patch_namespaced_custom_object"
    assert arguments[3:5] == ("slurmconnections", "campus")
    assert arguments[-1] == {"metadata": {"resourceVersion": "41", "uid": "u-2", "finalizers": ["a"]}}
    assert keywords["_content_type"] == "application/merge-patch+json"


def page(*finalizers: list[str] | None, more: str = "") -> dict[str, Any]:
    items = [{"metadata": {} if names is None else {"finalizers": names}} for names in finalizers]
    return {"items": items, "metadata": {"continue": more} if more else {}}


@pytest.mark.parametrize(
    ("pages", "in_use", "asked"),
    [
        ([page()], False, [""]),
        ([page(None, ["other"])], False, [""]),
        ([page(None, ["other", FINALIZER])], True, [""]),
        ([page([FINALIZER], more="2"), page()], True, [""]),
        ([page(None, more="2"), page(["other"], more="3"), page([FINALIZER])], True, ["", "2", "3"]),
        ([page(None, more="2"), page()], False, ["", "2"]),
    ],
)
async def test_a_connection_is_in_use_while_a_job_holds_our_finalizer(
    kube: KubeClient, api: Recorder, pages: list[Any], in_use: bool, asked: list[str]
) -> None:
    api.answers = list(pages)
    assert await kube.connection_in_use(namespace="ns", name="campus") is in_use
    assert [keywords["_continue"] for _, _, keywords in api.calls] == asked
    assert {keywords["field_selector"] for _, _, keywords in api.calls} == {"spec.connectionRef.name=campus"}
    assert all(keywords["limit"] > 0 for _, _, keywords in api.calls)


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (None, {}),
        ({}, {}),
        ({"SLURM_JWT": base64.b64encode(b"a.b.c\n").decode()}, {"SLURM_JWT": b"a.b.c\n"}),
        ({"SLURM_JWT": b"a.b.c"}, {"SLURM_JWT": b"a.b.c"}),
        ({"binary": base64.b64encode(b"\xff\x00").decode()}, {"binary": b"\xff\x00"}),
    ],
)
async def test_secrets_are_decoded(
    kube: KubeClient, api: Recorder, data: dict[str, Any] | None, values: dict[str, bytes]
) -> None:
    api.answers = [SimpleNamespace(data=data, type="Opaque")]
    assert await kube.read_secret(namespace="ns", name="token") == Secret(type="Opaque", data=values)
    assert api.calls[0][:2] == ("read_namespaced_secret", ("token", "ns"))


@pytest.mark.parametrize(
    ("key", "kind", "warning", "type_"),
    [(JOB, "SlurmJob", False, "Normal"), (CONNECTION, "SlurmConnection", True, "Warning")],
)
async def test_an_event(kube: KubeClient, api: Recorder, key: ObjectKey, kind: str, warning: bool, type_: str) -> None:
    api.answers = [{}]
    event = KubeEvent(regarding=key, reason="SlurmJobStarted", message="m", warning=warning, time=1_800_000_000.25)
    await kube.post_event(event)
    name, arguments, _ = api.calls[0]
    body = arguments[-1]
    assert name == "create_namespaced_custom_object"
    assert arguments[:4] == ("events.k8s.io", "v1", "ns", "events")
    assert (body["type"], body["reason"], body["note"]) == (type_, "SlurmJobStarted", "m")
    assert body["eventTime"] == "2027-01-15T08:00:00.250000Z"
    assert body["metadata"] == {"generateName": f"{key.name}-", "namespace": "ns"}
    assert body["regarding"] == {
        "apiVersion": "slurmjob.dev/v1alpha1", "kind": kind, "namespace": "ns", "name": key.name, "uid": key.uid,
    }  # fmt: skip
    assert (body["reportingController"], body["reportingInstance"]) == ("slurmjob.dev/operator", "operator-0")


@pytest.mark.parametrize("name", ["x" * 253, "x" * 199 + "." + "y" * 53, "x" * 198 + "-." + "y" * 53])
async def test_an_event_stays_within_what_the_api_server_takes(api: Recorder, name: str) -> None:
    api.answers = [{}]
    key = ObjectKey(kind=Kind.SLURM_JOB, namespace="ns", name=name, uid="u")
    event = KubeEvent(regarding=key, reason="r", message="x" * 3000, warning=False, time=0)
    await KubeClient(instance="i" * 300).post_event(event)
    body = api.calls[0][1][-1]
    prefix = body["metadata"]["generateName"]
    assert len(prefix) <= 248
    assert prefix[-2].isalnum(), "a random suffix follows; labels of a name neither begin nor end with a dash"
    assert len(body["note"]) <= 1024
    assert len(body["reportingInstance"]) <= 128


async def test_closing_what_was_never_opened(kube: KubeClient) -> None:
    await kube.__aexit__(None, None, None)
