# Commands for users and developers; `make help` lists them. What they need is built first.

.PHONY: help build demo demo-loop viewer train-yours bench test lint clean

help:
	@echo "make build   python packages into .venv/, ROS packages into install/ (PYTHON=, ROS_PIP_DISTRO=, VENV=, TORCH=)"
	@echo "make demo    the node imagines a mug and a car: out/demo/novel_views.png"
	@echo "make demo-loop   an arm looks from where it learns most: out/loop/loop.png (ARGS=\"--object duck\")"
	@echo "make viewer  objects imagined in a browser, http://localhost:8080 (ARGS=\"--port 8081\"; docs/viewer.md)"
	@echo "make train-yours MESHES=part.stl   weights for your objects; or DATA=, a recording (OUT=weights/mine, UP=z, TEST=, ARGS=)"
	@echo "make bench   how fast it is, by every runtime (ARGS=\"--json bench.json\"; docs/benchmarks.md)"
	@echo "make test    lint and all tests (TESTS=test/node: some)"
	@echo "make lint    ruff"
	@echo "make clean   remove everything that was built"
	@echo ". ./env.sh   a shell in which python finds ROS, the interfaces, the package and torch"

build:
	@ros_pip/build.sh

demo: build
	. ./env.sh && python demo/demo.py

demo-loop: build
	. ./env.sh && python demo/loop.py $(ARGS)

viewer:
	@ros_pip/build.sh viewer
	. ./env.sh && exec python -m tiny_nvs_ros.viewer $(ARGS)

OUT = weights/mine
UP = z
train-yours:
	@[ -n "$(MESHES)$(DATA)" ] || { echo "which? make train-yours MESHES=part.stl" >&2; exit 2; }
	@ros_pip/build.sh dev
	. ./env.sh && python -m training.train_yours $(if $(MESHES),--meshes $(MESHES) --up $(UP)) \
	    $(if $(DATA),--data $(DATA)) $(if $(TEST),--test $(TEST)) --out $(OUT) \
	    $(if $(VIEWS),--views $(VIEWS)) $(ARGS)

bench:
	@ros_pip/build.sh dev
	. ./env.sh && python -m training.bench $(ARGS)

test: lint
	. ./env.sh && python -m pytest $(TESTS)

lint:
	@ros_pip/build.sh dev
	. ./env.sh && ruff check . && ruff format --check .

clean:
	rm -rf .venv .venv-* build install log
