"""A dense network whose every step can be done by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import index
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .. import _wxb
from .._arrays import Floats, dtype_of, floats, real
from .._settings import in_json, resolve
from ..activations import Activation
from ..init import Initializer
from ..losses import Loss
from ..optim import SGD, Optimizer
from ._base import kind_of
from ._batch import Form
from ._cache import Cache, Gradients
from ._check import GradCheck, gradcheck
from ._files import Files
from ._summary import Shown
from ._views import assign

N = TypeVar("N", bound="Network")


def _whole(sizes: Sequence[int]) -> list[int]:
    """The sizes of the layers, checked."""
    try:
        whole = [] if isinstance(sizes, str) else [index(size) for size in sizes]
    except TypeError:
        whole = []
    if min(whole, default=0) < 1:
        raise ValueError(f"sizes are {sizes!r}: n₀, …, n_L are whole numbers from 1 on, such as [4, 16, 3]")
    return whole


class Network(Files, Shown):
    """A dense network, layer after layer: its parameters are NumPy arrays, its work is the engine's.

    Parameters
    ----------
    sizes : sequence of int
        n₀, n₁, …, n_L: inputs, units of the hidden layers, outputs.
    hidden : str, Activation, or sequence of them
        The activation of the hidden layers, one for all or one for each.
    loss : str or Loss
        What is minimised. It owns the link of the output layer: sigmoid for ``"binary_cross_entropy"``,
        softmax for ``"cross_entropy"``, exp for ``"poisson"``, none for the others.
    init : str or Initializer
        How the weights are drawn.
    seed : int
        Decides the weights, the masks of dropout and the order of the examples.
    dtype : dtype
        float32 or float64.
    dropout : float
        The rate of dropout after each hidden layer.
    batch_norm : bool
        Whether each hidden layer is normalised over the batch before its activation.
    residual : bool
        Whether a hidden layer as wide as the one before adds that one's output to its own.
    orientation : {"rows", "columns"}
        ``"rows"``: X (m, n₀), W (n_in, n_out), b (n_out). ``"columns"``, as in the course: X (n₀, m), W
        (n_out, n_in), b (n_out, 1). The memory is the same, read in two ways.
    threads : int, optional
        How many threads its work takes at the most: all cores, or ``OMP_NUM_THREADS``, unless it is given. The numbers are
        the same with any.

    Examples
    --------
    >>> import numpy as np
    >>> import wxb
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> Y = np.array([0.0, 1.0, 1.0, 0.0])
    >>> net = wxb.Network([2, 8, 1], hidden="tanh", loss="binary_cross_entropy", seed=1, dtype="float64")
    >>> for _ in range(500):
    ...     cache = net.forward(X)
    ...     grads = net.backward(Y)
    ...     net.step(grads, lr=1.0)
    >>> net.predict(X).round().ravel()
    array([0., 1., 1., 0.])
    >>> net.weights
    <W1 (2, 8), W2 (8, 1)>
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        hidden: str | Activation | Sequence[str | Activation] = "relu",
        loss: str | Loss,
        init: str | Initializer = "auto",
        seed: int = 0,
        dtype: DTypeLike = np.float32,
        dropout: float = 0.0,
        batch_norm: bool = False,
        residual: bool = False,
        orientation: str = "rows",
        threads: int | None = None,
    ) -> None:
        sizes = _whole(sizes)
        many = [hidden] * max(len(sizes) - 2, 0) if isinstance(hidden, str | Activation) else list(hidden)
        activations = [resolve(Activation, g).to_json() for g in many]
        blocks = (float(dropout), bool(batch_norm), bool(residual))
        of_loss = resolve(Loss, loss).to_json()
        engine = _wxb.Engine.mlp(sizes, activations, blocks, of_loss)
        self._build(engine, _initial(engine, init, seed, dtype), seed, orientation)
        self.threads = threads

    @classmethod
    def from_layers(
        cls: type[N],
        layers: Sequence[Any],
        *,
        loss: str | Loss,
        init: str | Initializer = "auto",
        seed: int = 0,
        dtype: DTypeLike = np.float32,
        orientation: str = "rows",
        threads: int | None = None,
    ) -> N:
        """A network of any of the engine's layers, in the form that model files hold them in.

        Parameters
        ----------
        layers : sequence
            The last one is dense with the activation ``"identity"``, or heads; as :attr:`layers` gives them.
        loss, init, seed, dtype, orientation, threads
            As for the network itself.

        Examples
        --------
        >>> from wxb import Network
        >>> net = Network.from_layers(
        ...     [
        ...         {"scale": {"n": 4}},
        ...         {"dense": {"n_in": 4, "n_out": 8, "activation": "identity"}},
        ...         {"blend": {"n": 8, "activation": "mish"}},
        ...         {"dense": {"n_in": 8, "n_out": 1, "activation": "identity"}},
        ...     ],
        ...     loss="huber",
        ... )
        >>> net.parameters
        <gamma1 (4,), W1 (4, 8), b1 (8,), alpha1 (8,), W2 (8, 1), b2 (1,)>
        """
        engine = _wxb.Engine(in_json(list(layers)), resolve(Loss, loss).to_json())
        network = cls.__new__(cls)
        network._build(engine, _initial(engine, init, seed, dtype), seed, orientation)
        network.threads = threads
        return network

    # ---- a step by hand

    def forward(
        self, X: ArrayLike, *, training: bool = False, masks: Sequence[ArrayLike] | None = None
    ) -> Cache:
        """Z_l = A_{l-1} W_l + b_l and A_l = g_l(Z_l), layer after layer.

        Parameters
        ----------
        X : array_like
            (m, n₀), with columns as examples (n₀, m).
        training : bool
            Whether dropout is on, with masks from the seed and the number of steps done, and batch
            normalisation normalises the batch by itself.
        masks : sequence of array_like, optional
            For each dropout layer what it multiplies by; a mask of booleans says what is kept, and what is
            kept is divided by 1 − rate.

        Returns
        -------
        Cache
            Every Z, A and mask. The network keeps it, too, for :meth:`loss` and :meth:`backward`.

        Raises
        ------
        ValueError
            For another shape than the network takes, NaN, infinity.

        Examples
        --------
        >>> import numpy as np
        >>> from wxb import Network
        >>> net = Network([2, 3, 1], loss="squared_error", dropout=0.5)
        >>> cache = net.forward(np.ones((4, 2)), training=True, masks=[np.eye(4, 3, dtype=bool)])
        >>> [a.shape for a in cache.A], cache.masks[0][0]
        ([(4, 2), (4, 3), (4, 1)], array([2., 0., 0.], dtype=float32))
        """
        x = self._form.inputs(X)
        if masks is not None and not training:
            raise ValueError("masks are for training: forward(X, masks=…, training=True)")
        given = None if masks is None else self._masks(masks, x.shape[0])
        of_training = (self.seed, self._steps) if training else None
        of_pass = self._engine.forward(self._flat, x, of_training, given, self._threads)
        self._cache = Cache(
            of_pass, x, [kind_of(layer) for layer in self._layers], self._orientation, training
        )
        return self._cache

    def _masks(self, masks: Sequence[ArrayLike], m: int) -> list[tuple[int, Floats]]:
        places = [place for place, layer in enumerate(self._layers) if kind_of(layer) == "dropout"]
        if len(masks) != len(places):
            raise ValueError(f"{len(masks)} masks for {len(places)} dropout layers")
        given = []
        for place, mask in zip(places, masks, strict=True):
            array = real(mask, "a mask")
            if array.dtype == bool:
                array = array / (1 - self._layers[place]["dropout"]["rate"])
            rows = floats(array.T if self._form.columns else array, "a mask", self.dtype)
            # Whether the number of units fits, the engine knows.
            if rows.ndim != 2 or rows.shape[0] != m * self._engine.members:
                raise ValueError(f"a mask has the shape {array.shape} for {m} examples")
            given.append((place, rows))
        return given

    def loss(
        self,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        l2: float = 0.0,
        l1: float = 0.0,
        cache: Cache | None = None,
    ) -> float:
        """J of the last forward pass: Σ w ℓ / Σ w, and λ₂/(2m) Σ W² + λ₁/m Σ |W|, m = Σ w.

        Parameters
        ----------
        Y : array_like
            Targets (m, n_targets), with columns as examples (n_targets, m); (m) where an example has one.
            With classes their indices, or a 1 in the class's place and 0 elsewhere.
        sample_weight : array_like, optional
            A weight for each example.
        l2, l1 : float
            Strengths of the penalties; biases are free.
        cache : Cache, optional
            Another pass than the last one.
        """
        cache, y, weights = self._judged(cache, Y, sample_weight)
        j = cache._pass.loss(y, weights)
        m = cache.m if weights is None else float(np.sum(weights, dtype=np.float64))
        return j + self._penalty(cache, (l2, l1), m)

    def backward(
        self,
        Y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        l2: float = 0.0,
        l1: float = 0.0,
        cache: Cache | None = None,
        dZ: ArrayLike | None = None,
    ) -> Gradients:
        """The gradients of :meth:`loss`, with the parameters of the forward pass.

        Parameters
        ----------
        Y, sample_weight, l2, l1, cache
            As in :meth:`loss`.
        dZ : array_like, optional
            Instead of targets: the gradient of something else in the logits.

        Returns
        -------
        Gradients
            dW, db, … of every parameter, and dX. dZ_L holds the factor 1/m, so that dW and db are plain sums.

        Examples
        --------
        >>> from wxb import Network
        >>> net = Network([1, 1], loss="squared_error", init="zeros", dtype="float64")
        >>> cache = net.forward([[1.0], [3.0]])
        >>> grads = net.backward([2.0, 4.0])  # dZ = (0 − Y)/2
        >>> grads.dW[0], grads.db[0], grads.loss
        (array([[-7.]]), array([-3.]), 5.0)
        """
        if (Y is None) == (dZ is None):
            raise TypeError("backward takes targets Y, or the gradient dZ of the logits")
        if dZ is not None:
            cache = self._passed(cache)
            rows = np.ascontiguousarray(self._form.output(floats(dZ, "dZ", self.dtype)))
            weights = None
            back = partial(cache._pass.backward_from, rows)
        else:
            cache, y, weights = self._judged(cache, Y, sample_weight)
            back = partial(cache._pass.backward, y, weights)
        m = cache.m if weights is None else float(np.sum(weights, dtype=np.float64))
        j, flat, _ = back(False)
        self._add_penalties(flat, cache, (l2, l1), m)
        j += self._penalty(cache, (l2, l1), m)

        def input_gradient() -> Floats:
            _, _, dx = back(True)
            assert dx is not None
            return self._form.output(dx)

        return Gradients(flat, input_gradient, j, self._slots, self._orientation)

    def _passed(self, cache: Cache | None) -> Cache:
        cache = self._cache if cache is None else cache
        if cache is None:
            raise RuntimeError("there was no forward pass: call forward(X) first")
        return cache

    def _judged(
        self, cache: Cache | None, Y: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> tuple[Cache, Floats, Floats | None]:
        cache = self._passed(cache)
        y = self._form.targets(() if Y is None else Y, cache.m)
        return cache, y, self._form.weights(sample_weight, cache.m)

    def _penalty(self, cache: Cache, lambdas: tuple[float, float], m: float) -> float:
        """λ₂/(2m) Σ W² + λ₁/m Σ |W|."""
        l2, l1 = lambdas
        if l2 == 0 and l1 == 0:
            return 0.0
        flat = cache._pass.parameters().astype(np.float64)
        weights = [flat[slot.range] for slot in self._slots if slot.role == "weight"]
        squares = sum(float(np.square(w).sum()) for w in weights)
        return l2 / (2 * m) * squares + l1 / m * sum(float(abs(w).sum()) for w in weights)

    def _add_penalties(self, grads: Floats, cache: Cache, lambdas: tuple[float, float], m: float) -> None:
        """dW += λ₂/m W + λ₁/m sign(W)."""
        l2, l1 = lambdas
        if l2 == 0 and l1 == 0:
            return
        flat = cache._pass.parameters()
        for slot in self._slots:
            if slot.role == "weight":
                w = flat[slot.range]
                grads[slot.range] += self.dtype.type(l2 / m) * w + self.dtype.type(l1 / m) * np.sign(w)

    def step(
        self,
        grads: Gradients | Mapping[str, ArrayLike],
        lr: float | Optimizer | None = None,
        *,
        optimizer: Optimizer | None = None,
    ) -> None:
        """θ ← θ − α g for all parameters together, or what an optimizer makes of it.

        Parameters
        ----------
        grads : Gradients or mapping
            Of :meth:`backward`, or arrays by the names of the parameters; those that are not named stay.
        lr : float or Optimizer
            α, or the optimizer itself.
        optimizer : Optimizer, optional
            Its weight decay acts on weights, not on biases.

        Notes
        -----
        After a pass in training the running statistics of batch normalisation move, too.

        Examples
        --------
        >>> from wxb import Network, optim
        >>> net, adam = Network([1, 1], loss="squared_error", init="zeros", dtype="float64"), optim.Adam(0.1)
        >>> cosine = optim.schedules.Cosine()
        >>> for epoch in range(100):
        ...     cache = net.forward([[1.0], [3.0]])
        ...     net.step(net.backward([2.0, 4.0]), adam)
        ...     adam.lr = 0.1 * cosine(epoch, epochs=100)
        >>> bool(net.loss([2.0, 4.0]) < 0.1)
        True
        """
        if isinstance(lr, Optimizer):
            lr, optimizer = None, lr
        if optimizer is None:
            if lr is None:
                raise TypeError("step takes a learning rate or an optimizer")
            optimizer = SGD(lr)
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{optimizer!r} takes no single step: use fit(optimizer=…)")
        slots = self._slots
        flat = grads.flat if isinstance(grads, Gradients) else self._flat_gradients(grads)
        theta = [self._flat[slot.range] for slot in slots]
        decays = [slot.role == "weight" for slot in slots]
        if flat.shape != self._flat.shape:
            raise ValueError(f"{flat.size} gradients for {self._flat.size} parameters")
        self._steps += 1
        if self._cache is not None and self._cache.training:
            self._cache._pass.track(self._flat, self._steps)
        if not optimizer.letters and not optimizer.weight_decay:
            # Nothing depends on the tensor.
            return optimizer.step([self._flat], [flat], lr=lr, threads=self.threads)
        slopes = [flat[slot.range] for slot in slots]
        optimizer.step(theta, slopes, lr=lr, decays=decays, threads=self.threads)

    def _flat_gradients(self, grads: Mapping[str, ArrayLike]) -> Floats:
        flat = np.zeros_like(self._flat)
        named = Gradients(flat, lambda: flat, 0.0, self._slots, self._orientation)
        for name, grad in grads.items():
            assign(named[name], grad, f"the gradient {name}")
        return flat

    # ---- what it says

    def predict(self, X: ArrayLike, *, logits: bool = False) -> Floats:
        """Ŷ (m, n_L), with columns as examples (n_L, m): probabilities, rates or values; or the logits.

        Quantiles of an example come in ascending order.
        """
        x = self._form.inputs(X)
        return self._form.output(self._engine.predict(self._flat, x, not logits, self._threads))

    __call__ = predict

    def gradcheck(
        self,
        X: ArrayLike,
        Y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        training: bool = False,
        per_tensor: int = 100,
        seed: int = 0,
    ) -> GradCheck:
        """The gradient against central differences of the loss, in double precision.

        Parameters
        ----------
        X, Y, sample_weight
            A batch, as in :meth:`forward` and :meth:`loss`.
        training : bool
            Whether dropout is on, with the same masks all the time, and batch normalisation normalises the
            batch by itself.
        per_tensor : int
            How many numbers of each tensor are compared.
        seed : int
            Decides which.

        Examples
        --------
        >>> import numpy as np
        >>> from wxb import Network
        >>> net = Network([3, 8, 2], hidden="gelu", loss="cross_entropy", seed=1)
        >>> check = net.gradcheck(np.eye(3), [0, 1, 1])
        >>> check.relative_error < 1e-6
        True
        """
        form = Form(
            self.sizes, self._form.n_targets, self._form.loss, self._orientation, np.dtype(np.float64)
        )
        x = form.inputs(X)
        batch = (x, form.targets(Y, x.shape[0]), form.weights(sample_weight, x.shape[0]))
        mode = (self.seed, self._steps) if training else None
        flat = self._flat.astype(np.float64)
        return gradcheck(self._engine, flat, batch, per_tensor, seed, mode, self._threads)


def _initial(engine: _wxb.Engine, init: str | Initializer, seed: int, dtype: DTypeLike) -> Floats:
    double = dtype_of(dtype) == np.float64
    if not 0 <= seed < 2**64:
        raise ValueError(f"the seed is {seed}, not in 0 to 2⁶⁴ − 1")
    return engine.initial(resolve(Initializer, init).to_json(), seed, double)
